-- Tickets that lie unassigned.
-- A ticket came, and for more than 24 hours by the clock, eight working hours of them or more, nobody of the team did anything with it. A ticket
-- of Friday evening that is taken on Monday morning lost nothing. One row a ticket.
-- Compared: how often it happens in the team where tickets first arrive, with how often in all other teams.
select d.number, t.shown as unit, d.first_queue_seconds > 86400 and d.first_queue_working_seconds >= 28800 as met,
  d.began as begin, d.began + d.first_queue_seconds as "end", null::boolean as fast, d.first_team as team, null::integer as kind
from judged as d left join team_names as t on t.team = d.first_team
