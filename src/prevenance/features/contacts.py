"""Contact features: how often we and the customer talked, about what, and when last."""

from __future__ import annotations

from collections.abc import Sequence

from prevenance.features.define import Count, DaysSince, Definition, Feature

SIDES = (("out", "Contacts from us"), ("in", "Contacts from the customer"))
KINDS = (("calls", "call", "Calls"), ("meetings", "meeting", "Meetings"), ("campaigns", "campaign", "Campaign messages"))


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of contacts; counts over 28, 90 and the longest lookback (days)."""
    long = max(*lookbacks, 90)
    return (
        *(
            Feature(
                f"contacts_{side}_{days}d", "contacts", Count(), f"{words} in {{days}} days: {{value:.0f}}", f"direction = '{side}'", days
            )
            for side, words in SIDES
            for days in sorted({28, 90, long})
        ),
        *(
            Feature(f"{name}_90d", "contacts", Count(), f"{words} in 90 days: {{value:.0f}}", f"kind = '{kind}'", 90)
            for name, kind, words in KINDS
        ),
        Feature(f"trainings_{long}d", "contacts", Count(), "Trainings attended in {days} days: {value:.0f}", "kind = 'training'", long),
        Feature("days_since_contact", "contacts", DaysSince(), "Last contact {value:.0f} {value:day|days} ago"),
        Feature("days_since_meeting", "contacts", DaysSince(), "Last meeting {value:.0f} {value:day|days} ago", "kind = 'meeting'"),
        Feature("days_since_training", "contacts", DaysSince(), "Last training {value:.0f} {value:day|days} ago", "kind = 'training'"),
    )
