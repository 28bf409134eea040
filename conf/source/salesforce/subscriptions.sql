-- Contract.csv and Opportunity.csv. A contract runs from StartDate to the end of EndDate; a renewal is a contract of its own: who has another one
-- running has not left. Without the Contract object this table says nothing, and leaving must come from elsewhere (billing, for one).
-- Amounts stand on opportunities: those won that name the contract, for its whole term. Where yours are a year's, divide by 12 instead.
with known as (select Id, lower(IsDeleted) in ('1', 'true') as gone from salesforce_accounts),
won as (
  select ContractId, sum(try_cast(Amount as decimal(18, 4))) as amount
  from salesforce_opportunities
  where lower(IsWon) in ('1', 'true') and coalesce(lower(IsDeleted), '0') in ('0', 'false')
  group by ContractId
),
signed as (
  select c.*, round(w.amount / nullif(try_cast(c.ContractTerm as integer), 0), 4) as monthly,
    rtrim(replace(c.ActivatedDate, '+0000', ''), 'Z') || 'Z' as activated,
    cast(cast(try_cast(c.EndDate as timestamp) + interval 1 day as date) as varchar) as over_on
  from salesforce_contracts c
  left join won w on w.ContractId = c.Id
  left join known a on a.Id = c.AccountId
  -- a draft was never activated. A deleted contract was a mistake, unless its account was deleted and took it along
  where c.ActivatedDate <> '' and (coalesce(lower(c.IsDeleted), '0') in ('0', 'false') or a.gone)
)
-- signed after it began: known when it was activated. Signed before: when it began
select AccountId as customer_id, StartDate as event_at, case when activated > StartDate then activated else StartDate end as known_at,
  Id as subscription_id, 'started' as event, monthly as mrr, Id || ':started' as _id, _file, _line
from signed
union all by name
-- EndDate is its last day, so it is over on the next. It is today's: who ends a contract early changes it, so what was planned before is not known,
-- and days to the end are left out. Where yours is never changed, add to the first part: over_on as ends_on. Notice has no date in Salesforce
select AccountId as customer_id, over_on as event_at, over_on as known_at, Id as subscription_id, 'ended' as event, Id || ':ended' as _id, _file, _line
from signed
where over_on <> ''
