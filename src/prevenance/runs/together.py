"""What the lists of a night will ask for, said before the first is made: customers of several targets are looked at once."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from functools import cache, partial

import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.base.memo import MEMO
from prevenance.decide.remembered import Remembered
from prevenance.decide.weeks import BEFORE, moments_of
from prevenance.explain.usual import own_windows, past_moments, with_means
from prevenance.features.build import definitions_giving
from prevenance.features.define import Definition
from prevenance.features.planned import MOST, Plan, shared_definitions
from prevenance.history.digests import Seen, digests_at
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.runs.inputs import Inputs, pseudonyms_of
from prevenance.runs.plugins import plugged_digest
from prevenance.runs.settings.outreach import rules_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import definitions_of, target_of
from prevenance.targets.labels import check_tables, cohort, cohort_at
from prevenance.targets.target import Target

FEW = 3_000
"""Customers of tonight whose own past is worked out for all at once; of more most are told nothing, and each list asks for whom it tells."""

TONIGHT = 2
"""Moments, tonight and four weeks before, whose cohorts the list asks for again."""

TOO_MANY = pd.DataFrame(index=range(MOST + 1))
"""So many snapshots that nobody builds them for others."""


def plan_lists(each: Iterable[Settings], inputs: Inputs, champion: Callable[[Settings], Fitted]) -> dict[datetime, Seen]:
    """Write into the history what the lists of these targets will ask for, and return what was known at their past Mondays (``digests_at``).

    What is wrong with a target is told when its list is made.
    """
    targets, wanted, narrow, mondays = list[Target](), dict[str, Definition](), dict[str, Definition](), set[datetime]()
    for given in each:
        try:
            target, fitted = target_of(given), champion(given)
            check_tables(target, inputs.history.tables)
            definitions = shared_definitions(definitions_of(given, inputs, fitted)[0])
            mondays |= set(moments_of(inputs.as_of, rules_of(given, target)).mondays)
        except PrevenanceError:
            continue
        if any(wanted.get(one.name, one) != one for one in definitions):  # of other lookbacks or hours: by itself
            continue
        targets.append(target)
        wanted |= {one.name: one for one in definitions}
        narrow |= {one.name: one for one in definitions_giving(definitions, bundle.used(fitted))}
    history, now, then = inputs.history, inputs.as_of, inputs.as_of - BEFORE
    asked = cache(partial(_everybody, inputs, targets))
    every, means = tuple(wanted.values()), with_means(tuple(wanted.values()))
    past, tonight = mondays - {now}, _count(asked, now) if len(targets) > 1 else 0
    plans = [
        Plan(frozenset([now, then]), every, partial(_past, asked, now, [now, then])),  # one look at the tables for both
        Plan(frozenset([now]), every, partial(asked, now), tonight > MOST),
        Plan(frozenset([then]), every, partial(asked, then), tonight > MOST),
        Plan(frozenset(past), tuple(narrow.values()), partial(_past, asked, now, past)),
        *(Plan(frozenset([one]), tuple(narrow.values()), partial(asked, one), True) for one in sorted(past) if tonight * len(past) > MOST),
    ]
    for step, definitions in own_windows(means).items():
        moments = past_moments(now, [step])[step]
        plans.append(Plan(frozenset(moments), definitions, partial(_back, asked, now, moments)))
    history.plans[:] = plans if targets else []
    return digests_at(history, mondays - {now})


def remembered_of(given: Settings, model_digest: str, digests: Mapping[datetime, Seen]) -> Remembered:
    """Return the memo of a target's chances. With pseudonyms nothing below the output folder names a customer, so nothing is kept."""
    if not given.memo or pseudonyms_of(given):
        return Remembered(None, model_digest)
    return Remembered(given.folder / MEMO / "chances" / given.target.name, model_digest, plugged_digest(), digests)


def _everybody(inputs: Inputs, targets: list[Target], *moments: datetime) -> pd.DataFrame:
    """Return customer_id and cutoff of everybody in the cohort of any target at each moment."""
    history, names = inputs.history, ["customer_id", "cutoff"]
    if len(moments) <= TONIGHT:
        found = [cohort_at(history, target, one)[names] for target in targets for one in sorted(moments)]
    else:
        found = [cohort(history, target, moments)[names] for target in targets]
    return pd.concat(found, ignore_index=True).drop_duplicates(ignore_index=True)


def _count(asked: Callable[..., pd.DataFrame], now: datetime) -> int:
    """Return how many there are tonight; 0 where a target cannot be asked, which is told when its list is made."""
    try:
        return len(asked(now))
    except PrevenanceError:
        return 0


def _past(asked: Callable[..., pd.DataFrame], now: datetime, moments: Collection[datetime]) -> pd.DataFrame:
    """Return who was in a cohort at each of ``moments``, which are about as many as tonight; too many are not even asked for."""
    return asked(*sorted(moments)) if len(asked(now)) * len(moments) <= MOST else TOO_MANY


def _back(asked: Callable[..., pd.DataFrame], now: datetime, moments: list[datetime]) -> pd.DataFrame:
    """Return tonight's customers at each moment of their past."""
    who = asked(now)[["customer_id"]]
    if len(who) > FEW:
        return TOO_MANY
    return pd.concat([who.assign(cutoff=pd.Timestamp(one).as_unit("us")) for one in moments], ignore_index=True)
