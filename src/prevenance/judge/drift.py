"""Drift of inputs: whether customers tonight look like those a model learned from, feature by feature.

The population stability index of two samples is never 0. Under no drift it follows about ``(1/n + 1/m) * chi-square`` with ``bins - 1``
degrees of freedom (Yurdakul, 2018, "Statistical properties of population stability index"), so a fixed 0.1 or 0.2 alarms small companies
for nothing and is blind in large ones. A feature has moved if it is above that law's threshold, large enough to matter, and farther off than
any single cutoff of the past was: what swings with the day of the month or the season is no drift.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from prevenance.features.held import InputRows, each_column
from prevenance.models.encode import Encoder
from prevenance.words.saying import saying

Floats = NDArray[np.float64]

BINS = 10
FALSE = 0.01
"""Chance that any feature is named although none moved (Bonferroni over the features looked at)."""

MATTERS = 0.1
"""PSI below which a difference, however certain, is too small to matter."""

BEYOND = 1.5
"""A feature has moved only if its PSI is so many times the largest of any cutoff of the past."""

SPARSE = 5.0
"""Customers a bin is expected to hold in the smaller sample; rarer ones are counted together."""

TOLD = 0.1
"""Change in the share of unknown values from which this is what is told."""

ENOUGH = 50
"""Distinct customers that both samples need."""

AGEING = ("tenure_days", "contract_age_days")
"""Features that grow by themselves as time passes: they move without any drift."""


@dataclass(frozen=True)
class Moved:
    """A feature that moved: its PSI, the threshold for these sizes, the largest PSI of a cutoff of the past, and in words from what to what.

    ``grown``: it moved because it is known for more customers now (the history has grown), not because they changed.
    """

    feature: str
    psi: float
    threshold: float
    swing: float
    text: str
    grown: bool


@dataclass(frozen=True)
class Drift:
    """What was compared (distinct customers before and now), how many features, what moved (most first) and what was not compared."""

    before: int
    now: int
    looked: int
    moved: tuple[Moved, ...]
    left_out: tuple[str, ...]


def input_drift(old: InputRows, new: InputRows, features: Sequence[str]) -> Drift:
    """Return which features differ between two frames of snapshots (customer_id, cutoff and the features; labels play no part).

    ``new`` is one cutoff, ``old`` one or many. A customer counts once in each frame, whatever the number of cutoffs: each snapshot weighs
    one over its customer's. Numbers are cut at tenths of ``old``, words are their own bins, unknown is a bin. Left out: what is the same
    for everybody at a cutoff (the month, days since a release: a date, no behaviour) and ``AGEING``. With fewer than ``ENOUGH`` customers
    on a side nothing is compared.
    """
    before, now = old["customer_id"].nunique(), new["customer_id"].nunique()
    present = [name for name in features if name in old and name in new]
    # A date moves by itself from one cutoff to the next.
    same = [_same_for_all(frame) for frame in (old, new)]
    dated = {name for name in present if name in AGEING or all(one(name) for one in same)}
    looked = [name for name in present if name not in dated] if min(before, now) >= ENOUGH else []
    weights = [_weights(frame) for frame in (old, new)]
    cutoff = pd.factorize(old["cutoff"], sort=True)[0]
    pairs = zip(each_column(old, looked), each_column(new, looked), strict=True)
    found = [_compared(*pair, weights, cutoff, (before, now), len(looked)) for pair in pairs]
    moved = [one for one in found if one.psi >= max(one.threshold, MATTERS) and one.psi > BEYOND * one.swing]
    # Words are made only for what moved.
    ordered = [
        replace(one, text=_told(old[one.feature], new[one.feature], weights))
        for one in sorted(moved, key=lambda one: (-one.psi, one.feature))
    ]
    return Drift(before, now, len(looked), tuple(ordered), tuple(sorted(dated)))


def bin_shares(old: InputRows, new: InputRows, feature: str, most: int = 12) -> list[dict[str, object]]:
    """Return the bins that ``input_drift`` compares of one feature: upto (largest number in it, None for the last and for words), name, before, now.

    ``before`` and ``now`` are shares of customers. A number's name is empty; of words the ``most`` with the largest shares are told, and "unknown".
    """
    codes, names = _bins(old[feature], new[feature])
    before, now = (np.bincount(code, weight, len(names)) for code, weight in zip(codes, map(_weights, (old, new)), strict=True))
    numeric = pd.api.types.is_numeric_dtype(old[feature])
    edges = _edges(old[feature]) if numeric else np.zeros(0)
    told: list[dict[str, object]] = [
        {
            "upto": float(edges[place]) if place < len(edges) else None,
            "name": name,
            "before": round(float(before[place]), 6),
            "now": round(float(now[place]), 6),
        }
        for place, name in enumerate(names)
    ]
    kept = sorted(range(len(told) - 1), key=lambda place: -max(before[place], now[place]))[:most]
    chosen = [one for place, one in enumerate(told[:-1]) if numeric or place in kept]
    return [*chosen, *(told[-1:] if before[-1] or now[-1] else [])]


def stability_index(before: Floats, now: Floats, n: int, m: int) -> float:
    """Return the PSI of two tables of shares (same bins, each summing to 1) of ``n`` and ``m`` customers; half a customer keeps bins from 0."""
    first, second = ((shares * size + 0.5) / (size + 0.5 * len(shares)) for shares, size in ((before, n), (now, m)))
    return float(((second - first) * np.log(second / first)).sum())


def psi_threshold(bins: int, n: int, m: int, chance: float) -> float:
    """Return the PSI that samples of ``n`` and ``m`` customers of one population exceed with ``chance``."""
    return _chi_square(bins - 1, 1 - chance) * (1 / n + 1 / m) if bins > 1 else 0.0


@cache
def _chi_square(degrees: int, share: float) -> float:
    """Return the quantile of the chi-square law, to the last digit what scipy.stats says, which is dear to import."""
    from scipy.special import gammaincinv

    return float(2 * gammaincinv(degrees / 2, share))


def _compared(
    old: pd.Series, new: pd.Series, weights: list[Floats], cutoff: NDArray[np.intp], sizes: tuple[int, int], looked: int
) -> Moved:
    codes, names = _bins(old, new)
    shares = [np.bincount(code, weight, len(names)).astype(float) for code, weight in zip(codes, weights, strict=True)]
    before, now = _dense(shares[0], shares[1], min(sizes))
    psi = stability_index(before, now, *sizes) if len(before) > 1 else 0.0
    limit = psi_threshold(len(before), *sizes, FALSE / max(looked, 1))
    # The dear part is done only for what would be named without it.
    swing = _swing(codes[0], cutoff, shares[0], sizes[0]) if psi >= max(limit, MATTERS) else 0.0
    grown = bool(shares[0][-1] - shares[1][-1] >= TOLD)
    return Moved(str(old.name), psi, limit, swing, "", grown)


def _swing(code: NDArray[np.intp], cutoff: NDArray[np.intp], whole: Floats, before: int) -> float:
    """Return the largest PSI of one cutoff of the past against all of them; 0 where there is one only."""
    if cutoff.max() == 0:
        return 0.0
    found = []
    for each in range(int(cutoff.max()) + 1):
        counts = np.bincount(code[cutoff == each], minlength=len(whole)).astype(float)
        first, second = _dense(whole, counts / counts.sum(), int(min(before, counts.sum())))
        found.append(stability_index(first, second, before, int(counts.sum())) if len(first) > 1 else 0.0)
    return max(found)


def _bins(old: pd.Series, new: pd.Series) -> tuple[list[NDArray[np.intp]], list[str]]:
    """Return each row's bin in both samples, and the bins' names; the last is "unknown"."""
    if pd.api.types.is_numeric_dtype(old):
        values, edges = [_numbers(side) for side in (old, new)], _edges(old)
        names = [""] * (len(edges) + 1)
        return [np.where(np.isfinite(side), np.searchsorted(edges, side, "left"), len(names)) for side in values], [*names, "unknown"]
    # each word is looked at once, however many rows say it; unknown is the code -1, and stands last
    sides = [pd.factorize(side) for side in (old, new)]
    words = sorted({str(word) for _, said in sides for word in said})
    place = {word: number for number, word in enumerate(words)}
    return [np.array([*(place[str(word)] for word in said), len(words)], dtype=np.intp)[code] for code, said in sides], [*words, "unknown"]


def _edges(old: pd.Series) -> Floats:
    """Return the largest number of each bin but the last: tenths of the known ones, equal ones once."""
    known = _numbers(old)
    known = known[np.isfinite(known)]
    return np.unique(np.quantile(known, np.arange(1, BINS) / BINS, method="lower")) if len(known) else np.zeros(0)


def _numbers(side: pd.Series) -> Floats:
    return pd.to_numeric(side, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _dense(before: Floats, now: Floats, smaller: int) -> tuple[Floats, Floats]:
    """Return the shares with sparse bins counted as one: the law holds only where a few customers are expected."""
    sparse = (before + now) / 2 * smaller < SPARSE
    if not sparse.any():
        return before, now
    first, second = (np.append(shares[~sparse], shares[sparse].sum()) for shares in (before, now))
    used = (first + second) > 0
    return first[used], second[used]


def _told(old: pd.Series, new: pd.Series, weights: list[Floats]) -> str:
    """Return in words what moved: the share unknown, the median, or the word whose share moved most."""
    codes, names = _bins(old, new)
    before, now = (np.bincount(code, weight, len(names)).astype(float) for code, weight in zip(codes, weights, strict=True))
    if abs(now[-1] - before[-1]) >= TOLD:
        return saying("unknown for {before} → {now:.0%} of customers", before=f"{100 * before[-1]:.0f}", now=float(now[-1]))
    if pd.api.types.is_numeric_dtype(old):
        first, second = (_median(side, weight) for side, weight in zip((old, new), weights, strict=True))
        if first != second:
            return saying("median {before} → {now}", before=f"{first:,.3g}", now=f"{second:,.3g}")
        zero = [float(weight[(side == first).to_numpy()].sum()) for side, weight in zip((old, new), weights, strict=True)]
        return saying("{what} for {before} → {now:.0%} of customers", what=f"{first:,.3g}", before=f"{100 * zero[0]:.0f}", now=zero[1])
    most = int(np.argmax(np.abs(now - before)))
    return saying(
        "{what} for {before} → {now:.0%} of customers", what=names[most], before=f"{100 * before[most]:.0f}", now=float(now[most])
    )


def _median(values: pd.Series, weights: Floats) -> float:
    known = values.notna().to_numpy()
    numbers = values.to_numpy(dtype=float, na_value=np.nan)[known]
    order = np.argsort(numbers, kind="stable")
    reached = np.cumsum(weights[known][order])
    return float(numbers[order][np.searchsorted(reached, reached[-1] / 2)]) if len(numbers) else float("nan")


def _weights(frame: InputRows) -> Floats:
    """Return each snapshot's weight: customers weigh the same, all weights sum to 1."""
    code = pd.factorize(frame["customer_id"])[0]
    each = 1.0 / np.bincount(code)[code].astype(float)
    return each / each.sum() if len(each) else each


def _same_for_all(frame: InputRows) -> Callable[[str], bool]:
    """Return what says whether a column is the same for everybody at each cutoff; never of no rows."""
    if not len(frame):
        return lambda name: False
    at = pd.factorize(frame["cutoff"])[0]
    # one cutoff is enough to see that most columns are not
    return lambda name: bool((one := frame[name])[at == 0].nunique(dropna=False) <= 1 and one.groupby(at).nunique(dropna=False).max() <= 1)


def unseen_words(encoder: Encoder, frame: InputRows) -> dict[str, int]:
    """Return for each text column how many rows hold a word that the model does not know; columns without such rows are left out."""
    found = {}
    for name, known in encoder.vocabulary.items():
        words = frame[name].dropna().astype(str) if name in frame else pd.Series(dtype=str)
        if rows := int((~words.isin(known)).sum()):
            found[name] = rows
    return found
