-- Hand-offs that wait.
-- A ticket was handed to a team and lay there until somebody took it up. One row a hand-off whose end the log tells (a row that says that
-- somebody took the ticket); where the log does not say when work began, waiting and work cannot be told apart, and the hand-off is left out.
-- Compared: how long the hand-offs to one team wait, with those to all other teams.
select s.number, t.shown as unit, true as met, s.second as begin, s.next_second as "end", null::boolean as fast, s.team, s.kind
from spans as s join judged using (number) left join team_names as t on t.team = s.team
where s.part = 'handoff' and s.taken_up
