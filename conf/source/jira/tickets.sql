-- From Filters > View all issues > Export > CSV (all fields), of a service project: one row a request as it stands today. Times are written as the
-- site's look and feel says: other ways go under timestamp_formats of the yaml's entry. A request of several organisations gives the column several
-- times ("Custom field (Organizations)__1" is the first then). Customers are the organisations; requests of nobody's are left out, told as such.
with kept as (
  select *, coalesce(lower(Resolution), '') in ('duplicate', 'cancelled', 'canceled') as taken_back
  from jira_issues
  where "Custom field (Organizations)" <> ''
),
changes as (
  select 'opened' as event, 'created' as activity, Created as event_at, null as score, * from kept
  -- filled where the charts of Jira are installed, else blank
  union all select 'replied', 'first response', "Custom field ([CHART] Date of First Response)", null, * from kept
    where "Custom field ([CHART] Date of First Response)" <> ''
  -- Resolved is when it got its resolution; Jira empties it when the request comes back, and a status Closed later, by hand or by itself, moves nothing.
  -- A duplicate or a request that was taken back was one on its day, and ends here
  union all select case when taken_back then 'closed' else 'resolved' end, Resolution, Resolved, null, * from kept where Resolved <> ''
  -- it came back when its status began, said only while it is still called so; earlier returns are not in the export
  union all select 'reopened', Status, "Status Category Changed", null, * from kept where lower(Status) = 'reopened' and "Status Category Changed" <> ''
  union all select 'rated', 'rated', "Custom field (Satisfaction date)", "Satisfaction rating", * from kept
    where "Satisfaction rating" <> '' and "Custom field (Satisfaction date)" <> ''
)
-- Who had it, for how long, and waiting for the customer stand in the issue's history, which this export does not hold. Deleted issues are not
-- exported, moved ones have their new key. Priority and request type are today's, taken as set at the opening. Summary and description are not read
select "Custom field (Organizations)" as customer_id, event_at, "Issue key" as ticket_id, event, activity, "Project key" as "group",
  "Custom field (Request Type)" as category, Priority as priority, score, "Issue id" || ':' || event as _id, _file, _line
from changes
