-- Case.csv, a row a case as it stands today, and CaseHistory.csv, a row a change of a field whose history is kept (Status and Owner must be: Setup >
-- Object Manager > Case > Set History Tracking). History is kept for 18 to 24 months; older cases have their opening and their last closing.
with known as (select Id, lower(IsDeleted) in ('1', 'true') as gone from salesforce_accounts),
kept as (
  select c.*, rtrim(replace(c.CreatedDate, '+0000', ''), 'Z') || 'Z' as created,
    rtrim(replace(c.ClosedDate, '+0000', ''), 'Z') || 'Z' as closed,
    coalesce(c.MasterRecordId, '000000000000000AAA') <> '000000000000000AAA' as merged
  from salesforce_cases c
  left join known a on a.Id = c.AccountId
  -- a deleted case is spam or a mistake, unless its account was deleted and took it along; a case of nobody's account is left out
  where coalesce(c.AccountId, '000000000000000AAA') <> '000000000000000AAA'
    and (coalesce(lower(c.IsDeleted), '0') in ('0', 'false') or a.gone)
),
history as (
  select CaseId, Field, NewValue, Id as change_id, rtrim(replace(CreatedDate, '+0000', ''), 'Z') || 'Z' as changed, _file, _line,
    -- what you call a solved case, where it is none of these, comes here
    regexp_matches(lower(NewValue), '^(closed|resolved|solved)\b') as done_now, regexp_matches(lower(OldValue), '^(closed|resolved|solved)\b') as done_before,
    row_number() over (partition by CaseId, Field order by CreatedDate, Id) as place
  from salesforce_case_history
  -- a change of owner stands there twice, with names and with ids: the names' row counts, and no name is read
  where coalesce(lower(IsDeleted), '0') in ('0', 'false') and not (Field = 'Owner' and regexp_full_match(coalesce(NewValue, ''), '00[5G]\w{12,15}'))
),
changes as (
  select 'opened' as event, 'created' as activity, created as event_at, * exclude (_file, _line), _file as file, _line as line, Id || ':opened' as row_id from kept
  union all by name
  select case
      when h.Field = 'Owner' and h.place = 1 then 'assigned'
      when h.Field = 'Owner' then 'transferred'
      when h.Field = 'IsEscalated' then 'escalated'
      when h.done_now then 'resolved'
      when h.done_before then 'reopened'
      when regexp_matches(lower(h.NewValue), 'waiting|on hold|pending') then 'waiting'
      else 'other' end as event,
    case when h.Field = 'Status' then h.NewValue else h.Field end as activity, h.changed as event_at, k.* exclude (_file, _line),
    h._file as file, h._line as line, h.change_id as row_id
  from history h
  join kept k on k.Id = h.CaseId
  where h.Field = 'Status' or h.Field = 'Owner' or (h.Field = 'IsEscalated' and lower(h.NewValue) in ('1', 'true'))
  union all by name
  -- the last closing, emptied when a case is opened again; where the history has it too, it is the same moment. What was merged into another case
  -- was a request on its day, and ends here
  select case when merged then 'closed' else 'resolved' end as event, case when merged then 'merged' else 'closed' end as activity, closed as event_at,
    * exclude (_file, _line), _file as file, _line as line, Id || ':closed' as row_id
  from kept where closed <> ''
)
-- First replies are e-mails (EmailMessage.csv) and ratings are surveys of your own: not told. Subject and description name people and are not read
select AccountId as customer_id, event_at, Id as ticket_id, event, activity, Type as category, Priority as priority, Origin as channel, row_id as _id,
  file as _file, line as _line
from changes
