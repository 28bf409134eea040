-- A targeted household was contacted when its campaign started; a coupon brought back is an answer on its own day.
-- Campaigns are targeted, not randomised: no arm. Which campaign a coupon answers is known with the coupon.
-- The list also names campaigns that start after the last basket of the export: nobody had been contacted yet, so they
-- have no known_at and are counted as such.
with export as (
  select max(try_cast(transaction_timestamp as timestamp)) + interval 1 day as ends from transactions
)
select c.household_id as customer_id, d.start_date as event_at,
  case when try_cast(d.start_date as timestamp) <= export.ends then d.start_date end as known_at,
  'out' as direction, 'campaign' as kind, d.campaign_type || ' ' || c.campaign_id as campaign, null as outcome, c._file, c._line
from campaigns c
cross join export
left join campaign_descriptions d on d.campaign_id = c.campaign_id
union all by name
select r.household_id as customer_id, r.redemption_date as event_at, r.redemption_date as known_at,
  'in' as direction, 'campaign' as kind, d.campaign_type || ' ' || r.campaign_id as campaign, 'redeemed' as outcome, r._file, r._line
from coupon_redemptions r
left join campaign_descriptions d on d.campaign_id = r.campaign_id
