"""Contracts that turn back, for random companies: an end and a start at one instant, a notice withdrawn, a start and an end in one window."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

TURNS: tuple[tuple[tuple[int, str, int | None], ...], ...] = (
    ((-200, "started", None), (5, "ended", None), (5, "started", None)),
    ((-200, "started", None), (-2, "notice", 40), (6, "changed", None)),
    ((-200, "started", None), (4, "notice", 40), (9, "renewed", None), (15, "ended", None)),
    ((1, "started", None), (9, "ended", None)),
    ((2, "started", None), (2, "ended", None)),
    ((-200, "started", None), (3, "ended", None), (8, "started", None), (12, "notice", None)),
)
"""Days, events and planned ends (days later) of contracts that turn back."""


def turning_rows(dice: Any, customers: Sequence[str], cutoffs: Sequence[datetime], late: bool) -> list[dict[str, object]]:
    """Return rows of subscriptions, one story a customer around one of the cutoffs; ``dice`` draws (``random``) and dates knowledge (``known``)."""
    rows: list[dict[str, object]] = []
    for customer in customers:
        story = TURNS[dice.random.integers(len(TURNS))]
        first = cutoffs[dice.random.integers(len(cutoffs))] + timedelta(days=int(dice.random.integers(-3, 20)))
        happened = [first + timedelta(days=day) for day, _, _ in story]
        for (_, event, end), event_at, known_at in zip(story, happened, dice.known(happened, late), strict=True):
            ends_on = None if end is None else event_at + timedelta(days=end)
            rows.append(
                {"customer_id": customer, "event_at": event_at, "known_at": known_at, "subscription_id": f"{customer}/turn", "event": event}
                | {"ends_on": ends_on}
            )
    return rows
