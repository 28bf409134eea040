-- The wrong specialist.
-- A ticket was handed from one team to another, and came back to the first: A, B, A. The loss is the time from the hand-off until the ticket was
-- handed back. One row a hand-off; the way back is no hand-off of its own, and neither is a note or a check by another team, which had not got it.
-- Compared: how often the hand-offs between two teams come back, with how often those between all other pairs of teams do.
with placed as (
  select number, place, kind, second, team, lag(team) over (partition by number order by place) as before
  from steps join kinds using (kind) where team is not null and event not in ('note', 'other')),
moves as (
  select number, kind, second, team, before, lead(team) over life as later, lead(second) over life as back_at, lag(before) over life as earlier
  from placed where before <> team window life as (partition by number order by place))
select m.number, a.shown || ' → ' || b.shown as unit, coalesce(m.later = m.before and m.back_at <= d.resolved, false) as met,
  m.second as begin, m.back_at as "end", null::boolean as fast, m.team, m.kind
from moves as m join judged as d using (number) left join team_names as a on a.team = m.before left join team_names as b on b.team = m.team
where coalesce(m.earlier <> m.team, true) and m.second < d.resolved
