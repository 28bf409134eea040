"""Which teams may be told apart: those of five people or more; the others are "other teams", and nothing at all where they are fewer than five."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

LEAST_PEOPLE = 5
"""People of the smallest team that is shown."""
OTHERS = ""
"""What stands for the other teams."""


def shown_teams(teams: Iterable[str], sizes: Mapping[str, int]) -> dict[str, str | None]:
    """Return team -> what it is shown as: itself, ``OTHERS``, or ``None`` where even the other teams together are too few.

    A team of unknown size has at least one person.
    """
    every = sorted(set(teams))
    small = [team for team in every if sizes.get(team, 0) < LEAST_PEOPLE]
    others = OTHERS if sum(max(sizes.get(team, 1), 0) for team in small) >= LEAST_PEOPLE else None
    return {team: others if team in small else team for team in every}
