-- Double checks.
-- One step, by the source's own word for it, was done by one team and then once more by another on the same ticket, without the ticket having come
-- back in between. The loss is the time from the first to the second. One row a step done twice; a ticket without one has a single row.
-- Compared: how often tickets of a category have it, with how often the fast third of the same category does.
with checks as (
  select number, step, kind, second, place, team, first_value(team) over life as team_before, first_value(second) over life as second_before,
    first_value(place) over life as place_before
  from steps join kinds using (kind) where event in ('note', 'other') and step <> event and team is not null
  window life as (partition by number, step order by place)),
again as (
  select c.number, c.step, arg_min(c.kind, c.place) as kind, any_value(team_before) as team, any_value(second_before) as second, arg_min(c.second, c.place) as next_second
  from checks as c join judged as d using (number)
  where c.team <> c.team_before and c.second <= d.resolved and not exists (
    from steps as r where r.number = c.number and r.place between c.place_before and c.place
      and r.kind in (select kind from kinds where event = 'reopened'))
  group by all)
select d.number, d.category as unit, a.second is not null as met, a.second as begin, a.next_second as "end", d.fast, a.team, a.kind
from judged as d left join again as a using (number) where exists (from kinds where team is not null)
