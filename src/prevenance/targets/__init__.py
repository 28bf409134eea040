"""What is predicted: a cohort, an outcome and a horizon. ``TARGETS`` maps a target's kind to its definition."""

from prevenance.targets.churn import by_contract, by_event, by_silence
from prevenance.targets.cross_sell import next_family, next_offer
from prevenance.targets.tickets import next_ticket

KINDS = {
    "contract": by_contract,
    "event": by_event,
    "silence": by_silence,
    "ticket": next_ticket,
    "offer": next_offer,
    "family": next_family,
}
