select account_id as customer_id, answered_at as event_at, kind, score, comment as text, answer_id as _id, _file, _line
from feedback
