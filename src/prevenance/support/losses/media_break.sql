-- Media breaks.
-- A ticket changed its channel: it came by mail and went on by telephone. The loss is the time from the last row in the old channel to the first
-- in the new one. One row a change; a ticket without one has a single row, one whose channel is not known none.
-- Compared: how often tickets of a category change their channel, with how often tickets of all other categories do.
with changes as (
  select number, before as second, second as next_second from channelled where channel <> was)
select d.number, d.category as unit, c.second is not null as met, c.second as begin, c.next_second as "end", null::boolean as fast, null::varchar as team, null::integer as kind
from judged as d left join changes as c on c.number = d.number and c.next_second <= d.resolved
where exists (from channelled as t where t.number = d.number)
