"""Contact features: how often we and the customer talked, about what, and when last."""

from collections.abc import Sequence

from prevenance.features.define import Count, Definition, Feature
from prevenance.features.spans import lookback_features, silence_feature

SIDES = (("out", "Contacts from us"), ("in", "Contacts from the customer"))
KINDS = (("calls", "call", "Calls"), ("meetings", "meeting", "Meetings"), ("campaigns", "campaign", "Campaign messages"))


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of contacts; counts over 28, 90 and the longest lookback (days)."""
    long = max(*lookbacks, 90)
    return (
        *(
            feature
            for side, words in SIDES
            for feature in lookback_features(
                "contacts", f"contacts_{side}", words, sorted({28, 90, long}), f"direction = '{side}'", worse=None
            )
        ),
        *(
            Feature(f"{name}_90d", "contacts", Count(), f"{words} in 90 days: {{value:.0f}}", f"kind = '{kind}'", 90, worse=None)
            for name, kind, words in KINDS
        ),
        *lookback_features("contacts", "trainings", "Trainings attended", [long], "kind = 'training'", worse=None),
        silence_feature("contacts", "contact", "contact", worse="more"),
        silence_feature("contacts", "meeting", "meeting", "kind = 'meeting'", worse="more"),
        silence_feature("contacts", "training", "training", "kind = 'training'", worse=None),
    )
