"""Feedback features: the last score of each kind, its average, and whether it fell."""

from collections.abc import Sequence

from prevenance.features.define import Definition, Feature, Last, Mean, State, Worse
from prevenance.features.spans import lookback_features, silence_feature

WORDS = {"nps": "recommendation score (NPS)", "csat": "satisfaction score (CSAT)", "ces": "effort score (CES)", "review": "review score"}

FALL = State(
    "feedback_fall",
    ("feedback",),
    """
with placed as (
  select customer_id, kind, score,
    row_number() over (partition by customer_id, kind order by event_at desc, known_at desc, score desc) as place
  from feedback where score is not null
),
pairs as (
  select l.customer_id, l.kind, l.score - b.score as change
  from placed as l join placed as b on b.customer_id = l.customer_id and b.kind = l.kind and b.place = 2
  where l.place = 1
)
select customer_id,
  max(change) filter (where kind = 'nps') as nps_change,
  max(change) filter (where kind = 'csat') as csat_change,
  max(change) filter (where kind = 'ces') as ces_change,
  count(*) filter (where change < 0) as scores_falling
from pairs group by customer_id
""",
    {
        "nps_change": "Last recommendation score (NPS): {value:+.0f} points against the one before",
        "csat_change": "Last satisfaction score (CSAT): {value:+.1f} points against the one before",
        "ces_change": "Last effort score (CES): {value:+.1f} points against the one before",
        "scores_falling": "Feedback scores that fell: {value:.0f}",
    },
    alone=True,
    worse={"nps_change": "less", "csat_change": "less", "ces_change": None, "scores_falling": "more"},
)


def _worse(kind: str) -> Worse:
    """Return which way a kind of score is bad: whether a high effort score is good or bad differs from survey to survey."""
    return None if kind == "ces" else "less"


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of feedback; averages over the longest lookback (days)."""
    long = max(*lookbacks, 90)
    return (
        *(
            Feature(
                f"{kind}_last",
                "feedback",
                Last("score"),
                f"Last {words}: {{value:{'.0f' if kind == 'nps' else '.1f'}}}",
                f"kind = '{kind}'",
                worse=_worse(kind),
            )
            for kind, words in WORDS.items()
        ),
        *(
            feature
            for kind in ("nps", "csat")
            for feature in lookback_features(
                "feedback", kind, f"Average {WORDS[kind]}", [long], f"kind = '{kind}'", Mean("score"), ".1f", worse="less"
            )
        ),
        *lookback_features("feedback", "feedback", "Feedback given", sorted({90, long}), "", worse=None),
        silence_feature("feedback", "feedback", "feedback", worse=None),
        FALL,
    )
