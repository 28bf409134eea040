-- Account.csv of Setup > Data Export, or of Data Loader > Export All. Data Export writes 0 and 1, GMT without saying so, and 000000000000000AAA for
-- nobody; Data Loader false and true, and a Z or +0000 at the end of a time: both are read.
-- A deleted account (IsDeleted) was a customer until then and stays: without it only survivors would be learned from. One that was merged into
-- another (MasterRecordId) is no customer of its own: Salesforce moves its contracts and cases to the other. Who asked to be forgotten: make erase.
-- Name, industry, country, parent and owner (an id; names stand in User.csv) are today's, declared static. Type and rating change: left out.
select Id as customer_id, rtrim(replace(CreatedDate, '+0000', ''), 'Z') || 'Z' as event_at, Name as name, Industry as industry,
  BillingCountry as country, nullif(ParentId, '000000000000000AAA') as parent_id, OwnerId as owner, _file, _line
from salesforce_accounts
where coalesce(MasterRecordId, '000000000000000AAA') = '000000000000000AAA'
