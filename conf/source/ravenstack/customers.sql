-- Industry and country are declared static. plan_tier, seats, is_trial and churn_flag are today's values without history: left out.
select account_id as customer_id, signup_date as event_at, account_name as name, industry, country, account_id as _id, _file, _line
from accounts
