-- Steps that equal tickets do without.
-- A step of the team, by the source's own word for it, stands on some tickets of a category that were neither handed on nor asked back, and not on
-- others. They are equal where all the rest takes no more than one and a half times as long with the step as without it, on ten of each or more: a
-- step that only hard tickets have is no loss. The loss is the time from the step to the row that follows. A ticket that has the step more than
-- once is left out. One row a ticket and step.
-- Compared: how often tickets of a category have the step, with how often the fast third of the standard cases does.
with stood as (
  select s.number, k.step, count(*) as n, any_value(s.kind) as kind, any_value(s.team) as team, min(s.second) as second,
    min(s.next_second) as next_second, sum(s.working_seconds) as held
  from spans as s join kinds as k using (kind) where k.event in ('note', 'other') and k.step <> k.event group by all),
plain as (
  select number, category, working_resolve_seconds as took, fast_standard as fast from judged
  where handoffs = 0 and asks = 0 and category is not null),
asked_of as (
  select p.category, o.step from plain as p join stood as o using (number) group by all having count(*) >= 10),
placed as (
  select p.*, a.step, o.kind, o.team, o.second, o.next_second, o.held
  from plain as p join asked_of as a using (category) left join stood as o on o.number = p.number and o.step = a.step
  where o.n is null or o.n = 1)
select number, category || ' · ' || step as unit, second is not null as met, second as begin, next_second as "end", fast, team, kind
from placed
window alike as (partition by category, step)
qualify count(second) over alike >= 10 and count(*) over alike >= 10 + count(second) over alike
  and median(took - held) over alike <= 1.5 * median(case when second is null then took end) over alike
