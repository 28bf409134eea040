"""Customer features: who the customer is, as known at the cutoff. Background: nobody changes an industry by calling."""

from collections.abc import Sequence

from prevenance.features.define import Definition, State

TRAITS = ("segment", "industry", "country", "language", "plan")


def _latest(column: str) -> str:
    return f"arg_max({column}, (event_at, known_at, {column})) filter (where {column} is not null) as {column}"


PROFILE = State(
    "profile",
    ("customers",),
    f"""
select customer_id, {", ".join(_latest(column) for column in TRAITS)}, max(age_days) as tenure_days,
  max(case when parent_id is null or parent_id = customer_id then 0 else 1 end) as part_of_group
from customers group by customer_id
""",
    {
        **{column: f"{column.capitalize()}: {{value}}" for column in TRAITS},
        "tenure_days": "Customer for {value:.0f} {value:day|days}",
        "part_of_group": "{value:Part?Not part} of a larger group",
    },
    categories=TRAITS,
    background=(*TRAITS, "tenure_days", "part_of_group"),
    alone=True,
    worse=dict.fromkeys((*TRAITS, "tenure_days", "part_of_group")),
)


def definitions(lookbacks: Sequence[int]) -> tuple[Definition, ...]:
    """Return the features of customers; they have no lookback."""
    return (PROFILE,)
