-- Missing information.
-- The team had to ask the customer back before it could go on: the form, the mail or the call did not say enough. The loss is the time from each
-- question to the row that follows it. One row a question; a ticket without one has a single row.
-- Compared: how often tickets of a category need a question, with how often tickets of all other categories do.
with questions as (
  select number, s.second, s.next_second, s.team, s.kind from spans as s where s.part = 'clarification')
select d.number, d.category as unit, q.second is not null as met, q.second as begin, q.next_second as "end", null::boolean as fast, q.team, q.kind
from judged as d left join questions as q using (number)
