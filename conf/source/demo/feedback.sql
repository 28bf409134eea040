-- Answers, the quarterly grade that the account's manager gives it, and the exit survey where the CRM has one.
select account_id as customer_id, answered_at as event_at, kind, score, comment as text, answer_id as _id, _file, _line
from feedback
union all by name
select account_id as customer_id, reviewed_at as event_at, 'review' as kind, grade as score, null as text, review_id as _id, _file, _line
from account_reviews
union all by name
select account_id as customer_id, exit_survey_on as event_at, 'csat' as kind, exit_survey_score as score, null as text,
  account_id || ':exit' as _id, _file, _line
from accounts
where exit_survey_score <> ''
