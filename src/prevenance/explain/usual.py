"""What is usual: a customer's own past in windows that do not overlap, and customers like them.

A number alone is no reason. ``Usual`` holds what it is compared with, for all rows at once; ``explain.reasons`` decides what that shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.features.build import build, definitions_giving, feature_columns, usable_definitions
from prevenance.features.define import Definition, Feature, Mean, Ratio, State, parts_of
from prevenance.features.held import AT_ONCE, InputRows
from prevenance.history.history import History, visible_sql

LEAST, MOST = 6, 12
"""Windows of the past: with fewer there is no telling noise from change; more are too long ago to be usual."""

STEP = 28
"""Days from one window to the next at least: whole weeks, so that weekends fall on weekends."""

REACH = 720
"""Days that the past is looked back on."""

PEERS = 20
"""Similar customers at least; with fewer, all customers are the comparison."""

KEYS = ("customer_id", "product_id")

QUARTILES = (0.25, 0.5, 0.75)

EACH = "_each"
"""Ends the name of the mean row of a sum that follows the calendar (``Feature.each``)."""


@dataclass(frozen=True)
class Usual:
    """Columns of ``n`` rows, each value an array of shape (n,), NaN where it is not known.

    ``now`` is the value at the cutoff. Of the own past, ``own`` is the median, ``noise`` the median absolute deviation, ``last`` the newest
    window and ``top`` the largest. Of similar customers at the cutoff, ``similar`` is the median, ``low`` and ``high`` the quartiles.
    """

    now: Mapping[str, np.ndarray]
    own: Mapping[str, np.ndarray]
    noise: Mapping[str, np.ndarray]
    last: Mapping[str, np.ndarray]
    top: Mapping[str, np.ndarray]
    similar: Mapping[str, np.ndarray]
    low: Mapping[str, np.ndarray]
    high: Mapping[str, np.ndarray]


def with_means(definitions: Sequence[Definition]) -> tuple[Definition, ...]:
    """Return the definitions and, for each sum that follows the calendar, the mean of its rows: what is comparable from window to window."""
    means = [
        replace(one, name=one.name + EACH, value=Mean(one.value.column), phrase=one.each, each="")  # type: ignore[union-attr]
        for one in definitions
        if isinstance(one, Feature) and one.each
    ]
    return (*definitions, *means)


def usual_values(
    history: History,
    cutoff: datetime,
    rows: pd.DataFrame,
    values: InputRows,
    names: list[str],
    definitions: Sequence[Definition],
) -> Usual:
    """Return what is usual for ``rows`` (customer_id[, product_id]).

    Args:
        history: asked as of the cutoff and of moments before it.
        cutoff: naive UTC.
        rows: whom to tell about: rows of ``values``.
        values: of everybody asked about at the cutoff, and
        names: the columns to tell, both from ``cohort_values``.
        definitions: of the columns, as ``with_means`` gives them.
    """
    usable = usable_definitions(definitions, history.tables, pairs="product_id" in rows)
    keys = [name for name in KEYS if name in rows]
    paired = {name for one in usable if isinstance(one, State) and one.pair for name in one.columns}
    low, similar, high = _similar(history, cutoff, rows, values, names, paired)
    # A state is one question of SQL a moment, and the slowest of all: it is compared with similar customers alone.
    windows = [name for name in names if name not in {column for one in usable if isinstance(one, State) for column in one.columns}]
    past = _own_past(history, cutoff, rows[keys], usable, windows)
    return Usual({name: rows[name].to_numpy(dtype=float) for name in names}, *past, similar, low, high)


def cohort_values(
    history: History, cutoff: datetime, cohort: InputRows, definitions: Sequence[Definition], columns: Sequence[str]
) -> tuple[InputRows, list[str]]:
    """Return ``cohort`` (keys and inputs of everybody) and which of ``columns`` it has, without texts; what no input gives is built beside it."""
    texts = {name for one in definitions if isinstance(one, State) for name in one.categories}
    definitions = usable_definitions(definitions, history.tables, pairs="product_id" in cohort)
    known = set(feature_columns(definitions))
    names = [name for name in dict.fromkeys(columns) if name in known and name not in texts]
    missing = [name for name in names if name not in cohort]
    if missing:
        # A customer's numbers are the same for every offer.
        code, ids = pd.factorize(cohort["customer_id"])
        who = pd.DataFrame({"customer_id": pd.Series(ids, dtype="str"), "cutoff": pd.Timestamp(cutoff).as_unit("us")})
        built = build(history, who, definitions_giving(definitions, missing))
        cohort = cohort.assign(**{name: built[name].to_numpy()[code] for name in missing})
    return cohort, names


def _similar(
    history: History, cutoff: datetime, rows: pd.DataFrame, values: InputRows, names: list[str], paired: set[str]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return low quartile, median and high quartile by column: of the same segment and plan, else of all; of an offer, of who is offered it.

    Some columns of everybody are held at a time.
    """
    group, ids = _groups(history, cutoff), values["customer_id"]
    first = ~ids.duplicated().to_numpy()
    parts = [(first, [name for name in names if name not in paired], ids.map(group), rows["customer_id"].map(group))]
    if offered := [name for name in names if name in paired]:
        parts.append((np.ones(len(ids), dtype=bool), offered, values["product_id"], rows["product_id"]))
    found: tuple[dict[str, np.ndarray], ...] = ({}, {}, {})
    for chosen, columns, theirs, mine in parts:
        code, likes = pd.factorize(theirs[chosen])
        place = pd.Index(likes).get_indexer(pd.Index(mine))
        for start in range(0, len(columns), AT_ONCE):
            some = columns[start : start + AT_ONCE]
            numbers = values[some][chosen].astype(float)
            counts = numbers.groupby(code).count().reindex(place).to_numpy() >= PEERS
            near = numbers.groupby(code).quantile(list(QUARTILES)).unstack().reindex(place)
            # everybody is asked only for who has too few beside them
            wide = numbers.quantile(list(QUARTILES)) if not counts.all() else None
            every = numbers.count() >= PEERS
            for number, name in enumerate(some):
                for told, share in zip(found, QUARTILES, strict=True):
                    other = wide[name][share] if wide is not None and every[name] else np.nan
                    told[name] = np.where(counts[:, number], near[name, share].to_numpy(), other)
    return found[0], found[1], found[2]


def _groups(history: History, cutoff: datetime) -> pd.Series:
    """Return customer_id -> segment and plan as one text."""
    newest = (
        f"coalesce(arg_max({name}, (event_at, known_at, {name})) filter (where {name} is not null), '')" for name in ("segment", "plan")
    )
    query = f"select customer_id, {' || chr(31) || '.join(newest)} as like_ from {visible_sql('customers', cutoff)} group by 1 order by 1"
    return history.con.execute(query).df().set_index("customer_id")["like_"]


Past = tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]


def _own_past(history: History, cutoff: datetime, keys: pd.DataFrame, definitions: Sequence[Definition], names: list[str]) -> Past:
    """Return median, noise, newest and largest by column, over the customer's own windows before the present one."""
    who = keys[["customer_id"]].drop_duplicates()
    age = who["customer_id"].map(_known_days(history, cutoff)).to_numpy(dtype=float)
    place = pd.Series(np.arange(len(who)), index=who["customer_id"]).reindex(keys["customer_id"]).to_numpy()
    found: Past = ({}, {}, {}, {})
    spans = _spans(definitions)
    for step, moments in past_moments(cutoff, [spans[name] for name in names]).items():
        here, count = [name for name in names if max(STEP, spans[name]) == step], len(moments)
        frame = pd.concat([who.assign(cutoff=pd.Timestamp(one).as_unit("us")) for one in moments], ignore_index=True)
        built = build(history, frame, definitions_giving(definitions, here)) if len(who) else frame
        for name in here if len(who) else ():
            values = built[name].to_numpy(dtype=float).reshape(count, len(who))
            # Before a customer was there, nothing happened, which is not usual for them.
            opened = step * np.arange(1, count + 1)[:, None] + spans[name]
            for kept, one in zip(found, _summary(np.where(opened <= age[None, :] + 1, values, np.nan)), strict=True):
                kept[name] = one[place]
    return found


def past_moments(cutoff: datetime, spans: Iterable[int]) -> dict[int, list[datetime]]:
    """Return days from window to window -> when the windows of the past end, newest first, for columns that look back ``spans`` days."""
    steps = sorted({max(STEP, span) for span in spans if LEAST * span <= REACH})
    return {step: [cutoff - timedelta(days=step * number) for number in range(1, min(MOST, REACH // step) + 1)] for step in steps}


def own_windows(definitions: Sequence[Definition]) -> dict[int, tuple[Definition, ...]]:
    """Return days from window to window -> the definitions, as ``with_means`` gives them, whose own past is asked at that distance."""
    # what a state is part of is asked for by itself: its own past would be dear
    windows = [one for one in definitions if not isinstance(one, State)]
    windows = [one for one in windows if not any(isinstance(part, State) for part in definitions_giving(definitions, [one.name]))]
    spans = _spans(windows)
    steps = past_moments(datetime(2000, 1, 1), spans.values())
    return {step: definitions_giving(windows, [name for name in spans if max(STEP, spans[name]) == step]) for step in steps}


def _summary(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return median, median absolute deviation, newest and largest of each column of (windows, n), NaN with fewer than ``LEAST`` of them."""
    enough = np.isfinite(values).sum(axis=0) >= LEAST
    middle = np.full(values.shape[1], np.nan)
    noise, top = middle.copy(), middle.copy()
    if enough.any():
        some = values[:, enough]
        middle[enough] = np.nanmedian(some, axis=0)
        noise[enough] = np.nanmedian(np.abs(some - middle[enough]), axis=0)
        top[enough] = np.nanmax(some, axis=0)
    return middle, noise, np.where(enough, values[0], np.nan), top


def _known_days(history: History, cutoff: datetime) -> pd.Series:
    query = f"select customer_id, max(age_days) as days from {visible_sql('customers', cutoff)} group by 1 order by 1"
    return history.con.execute(query).df().set_index("customer_id")["days"]


def _spans(definitions: Sequence[Definition]) -> dict[str, int]:
    """Return column -> days that it looks back on; 0 for the last value and for a silence."""
    found: dict[str, int] = {}
    for one in definitions:
        if isinstance(one, Feature):
            found[one.name] = one.days or 0
        elif isinstance(one, Ratio):
            found[one.name] = max((found.get(part, 0) for part in parts_of(one)), default=0)
    return found
