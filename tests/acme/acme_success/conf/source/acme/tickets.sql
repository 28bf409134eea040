select account as customer_id, opened as event_at, number as ticket_id, 'opened' as event, urgency as priority, _file, _line from cases
