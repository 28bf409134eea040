-- Over-organised standard cases.
-- A standard case is a ticket that was neither handed on, asked back, nor reopened. On some of them an approval was needed all the same. The loss
-- is the time from asking for it to the row that follows. One row an approval; a standard case without one has a single row.
-- Compared: how often the standard cases of a category have it, with how often the fast third of them does.
with steps_over as (
  select s.number, s.second, s.next_second, s.team, s.kind from spans as s join kinds as k using (kind) where k.event = 'approval_asked')
select d.number, d.category as unit, o.second is not null as met, o.second as begin, o.next_second as "end", d.fast_standard as fast, o.team, o.kind
from judged as d left join steps_over as o using (number) where d.standard
