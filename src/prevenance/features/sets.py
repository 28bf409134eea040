"""The sets of features.

``SETS`` maps a set's name, as conf writes it, to its function of lookbacks.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.working import TeamHours
from prevenance.features import calendar, contacts, customers, feedback, invoices, offers, purchases, subscriptions, tickets, usage
from prevenance.features.define import Definition, Ratio, State, columns_of, parts_of

LOOKBACKS = (7, 28, 90, 365)
"""Days, unless conf says otherwise."""

SETS: dict[str, Callable[[Sequence[int]], tuple[Definition, ...]]] = {
    "usage": usage.definitions,
    "tickets": tickets.definitions,
    "subscriptions": subscriptions.definitions,
    "invoices": invoices.definitions,
    "feedback": feedback.definitions,
    "purchases": purchases.definitions,
    "contacts": contacts.definitions,
    "customers": customers.definitions,
    "calendar": calendar.definitions,
    "offers": offers.definitions,
}


def definitions(
    sets: Iterable[str] = tuple(SETS), lookbacks: Sequence[int] = LOOKBACKS, hours: TeamHours | None = None
) -> tuple[Definition, ...]:
    """Return the definitions of the chosen sets, in the order of ``SETS``; ratios whose parts were not chosen are left out.

    Args:
        sets: names of ``SETS``.
        lookbacks: days, each at least 1; windows are ``(cutoff - days, cutoff]``.
        hours: when the support team works, for what is counted in working hours; else what each definition says itself.

    Raises:
        PrevenanceError: E203 for an unknown set, E202 for a lookback below 1 or none at all.
    """
    chosen = set(sets)
    for name in sorted(chosen - set(SETS)):
        raise PrevenanceError("E203", f'there is no feature set "{name}"', fix=did_you_mean(name, SETS))
    if not lookbacks or min(lookbacks) < 1:
        fix = "give whole days from 1, for example [7, 28, 90, 365]"
        raise PrevenanceError("E202", f"lookbacks={list(lookbacks)} are not days", fix=fix)
    found = [definition for name, function in SETS.items() if name in chosen for definition in function(tuple(lookbacks))]
    known = {column for definition in found for column in columns_of(definition)}
    if hours is not None:
        found = [replace(one, hours=hours) if isinstance(one, State) and one.hours is not None else one for one in found]
    return tuple(item for item in found if not isinstance(item, Ratio) or known.issuperset(parts_of(item)))


def phrases_by_column(definitions: Iterable[Definition]) -> dict[str, str]:
    """Return column -> phrase; the ``_before`` column of a trend has none, the trend's own phrase says it."""
    found: dict[str, str] = {}
    for definition in definitions:
        found |= definition.columns if isinstance(definition, State) else {definition.name: definition.phrase}
    return found


def changeable_columns(definitions: Iterable[Definition]) -> frozenset[str]:
    """Return the columns that a customer-success manager can move."""
    return frozenset(
        column
        for definition in definitions
        for column in columns_of(definition)
        if (column not in definition.background if isinstance(definition, State) else definition.changeable)
    )
