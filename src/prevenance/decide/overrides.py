"""Where people decided against a proposal: which rows were decided, by whom and how, and how often the list was overruled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prevenance.decide.feedback import Answer, utc_moment

FOLLOWED = ("contacted", "approved")
"""Answers that go with the proposal; every other one goes against it."""

ENOUGH = 5
"""Decided rows from which an owner's share is told."""

Row = tuple[str, str, str]
"""run_id, customer_id and product_id: one row of one list."""


@dataclass(frozen=True)
class Rate:
    """Of ``decided`` rows, people decided ``against`` so many."""

    against: int
    decided: int


def newest_answers(answers: Iterable[Answer]) -> dict[Row, Answer]:
    """Return the newest answer to each row that was decided."""
    found: dict[Row, Answer] = {}
    for answer in sorted(answers, key=lambda one: (utc_moment(one.at), one.key)):
        found[answer.run_id, answer.customer_id, answer.product_id] = answer
    return found


def override_rate(answers: Iterable[Answer]) -> Rate:
    """Return how many of the decided rows were decided against the proposal."""
    newest = newest_answers(answers).values()
    return Rate(sum(one.action not in FOLLOWED for one in newest), len(newest))


def override_rates_by_owner(answers: Iterable[Answer], owners: Mapping[Row, str]) -> dict[str, Rate]:
    """Return the same for each owner (of the row, as its list says) with ``ENOUGH`` decided rows, by name; nobody is no owner."""
    groups: dict[str, list[Answer]] = {}
    for row, answer in newest_answers(answers).items():
        if owner := owners.get(row, ""):
            groups.setdefault(owner, []).append(answer)
    rates = {owner: override_rate(groups[owner]) for owner in sorted(groups)}
    return {owner: found for owner, found in rates.items() if found.decided >= ENOUGH}
