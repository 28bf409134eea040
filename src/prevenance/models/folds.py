"""Folds: how cutoffs are parted in time, so that no label is known later than the model that learns from it.

The gap law: the label of a snapshot looks at ``(cutoff, cutoff + horizon]`` and outcomes are recorded up to ``settle`` days late, so a
cutoff may come before a part that begins at ``later`` only if ``cutoff + horizon + settle <= later``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from prevenance.base.errors import PrevenanceError

MIN_PERIODS = 3
"""Test periods with both classes that a promotion needs."""


@dataclass(frozen=True)
class Fold:
    """One split in time; cutoffs are naive UTC, ascending, and every label of a part had closed before the next one began.

    ``learned`` holds every cutoff that had closed by ``test``: models learn from all of them, and are calibrated on the same ones out of
    fold. ``fit`` and ``calibrate`` part them once more in time: learned from the one, settings are tried on the other.
    """

    fit: tuple[datetime, ...]
    calibrate: tuple[datetime, ...]
    test: datetime
    closed: tuple[datetime, ...] = ()

    @property
    def learned(self) -> tuple[datetime, ...]:
        """Return the cutoffs learned from, ascending."""
        return self.closed or tuple(sorted({*self.fit, *self.calibrate}))


def sampling_units(rows: pd.DataFrame) -> pd.Series:
    """Return who each row is drawn and split as: its ``group`` where there is one (accounts of one parent), else its customer_id."""
    return rows["group"] if "group" in rows else rows["customer_id"]


def at_risk(frame: pd.DataFrame) -> pd.Series:
    """Return which rows of a training frame say something of the outcome: at risk at their cutoff (where a state is told), label closed."""
    labelled = frame["label"].notna()
    return labelled & (frame["state"] == "at_risk") if "state" in frame else labelled


def closed_cutoffs(cutoffs: Iterable[datetime], as_of: datetime, *, horizon_days: int, settle_days: int) -> tuple[datetime, ...]:
    """Return the cutoffs, ascending and once each, whose label window has closed and settled: ``cutoff + horizon + settle <= as_of``."""
    gap = _gap(horizon_days, settle_days)
    until = _instant(as_of)
    return tuple(sorted({cutoff for cutoff in map(_instant, cutoffs) if cutoff + gap <= until}))


def make_folds(
    cutoffs: Iterable[datetime], *, horizon_days: int, settle_days: int, tests: int = 6, calibrate: int = 3, min_fit: int = 1
) -> tuple[Fold, ...]:
    """Return expanding folds, oldest test first: the newest ``tests`` cutoffs are tested, each by what had closed before it.

    A fold learns from every cutoff closed by its test. Settings are tried on the newest ``calibrate`` of these, learned from every cutoff
    closed by the first of them. Where history is short, ``calibrate`` shrinks (never below 1) until ``min_fit`` cutoffs are left to fit on; a test
    for which even that fails is left out. If fewer than ``MIN_PERIODS`` are left, those come back before which ``min_fit`` cutoffs had closed:
    their ``calibrate`` is empty, ``fit`` is all that had closed, and settings are tried on other customers instead of later cutoffs. So there
    may be fewer folds than ``tests``, or none. Pass closed cutoffs only (see ``closed_cutoffs``).

    Raises:
        PrevenanceError: E202 for a number that is too small.
    """
    _at_least({"tests": tests, "calibrate": calibrate, "min_fit": min_fit}, 1)
    gap = _gap(horizon_days, settle_days)
    ordered = sorted(set(map(_instant, cutoffs)))
    found = {test: _fold(ordered, test, gap, calibrate, min_fit) for test in ordered[-tests:]}
    if sum(fold is not None for fold in found.values()) < MIN_PERIODS:
        known = {test: tuple(cutoff for cutoff in ordered if cutoff + gap <= test) for test in found}
        found |= {
            test: Fold(known[test], (), test, known[test]) for test, fold in found.items() if not fold and len(known[test]) >= min_fit
        }
    return tuple(fold for fold in found.values() if fold)


def final_fold(
    cutoffs: Iterable[datetime], as_of: datetime, *, horizon_days: int, settle_days: int, calibrate: int = 3, min_fit: int = 1
) -> Fold:
    """Return the fold of the model that goes to work: it learns from all that has closed by ``as_of``, which is its ``test``.

    Where nothing can be kept apart to try settings on, ``calibrate`` is empty and ``fit`` holds every closed cutoff.

    Raises:
        PrevenanceError: E601 if no label window has closed by ``as_of``; E202 for a number that is too small.
    """
    _at_least({"calibrate": calibrate, "min_fit": min_fit}, 1)
    ordered, test, gap = sorted(set(map(_instant, cutoffs))), _instant(as_of), _gap(horizon_days, settle_days)
    known = closed_cutoffs(ordered, test, horizon_days=horizon_days, settle_days=settle_days)
    if not known:
        what = f"no label window of {horizon_days} days (+ {settle_days} days to settle) has closed by {test:%Y-%m-%d}"
        first = f"set as_of={ordered[0] + gap + timedelta(days=1):%Y-%m-%d} or later" if ordered else "give a longer history"
        raise PrevenanceError("E601", what, fix=f"{first}, or shorten horizon_days")
    return _fold(known, test, gap, calibrate, min_fit) or Fold(known, (), test, known)


def fold_summary(parted: Sequence[Fold], frame: pd.DataFrame) -> pd.DataFrame:
    """Return one row per fold and part: fold, part, first, last (cutoffs), cutoffs, snapshots, customers, positives, base_rate.

    ``frame`` has customer_id, cutoff, label and, if it likes, state: only rows at risk with a closed label are counted.
    """
    usable = frame[at_risk(frame)]
    parts = (
        (number, part, cutoffs)
        for number, fold in enumerate(parted, start=1)
        for part, cutoffs in (("learned", fold.learned), ("test", (fold.test,)))
    )
    columns = ["fold", "part", "first", "last", "cutoffs", "snapshots", "customers", "positives", "base_rate"]
    return pd.DataFrame([_part_row(usable, *part) for part in parts if part[2]], columns=columns)


def folds_text(parted: Sequence[Fold]) -> str:
    """Return the folds as text, one line each: L learned from, T test, ``.`` a cutoff left out (its label was still open)."""
    if not parted:
        return "no folds: the history is too short"
    every = sorted({cutoff for fold in parted for cutoff in (*fold.learned, fold.test)})
    rows = [("".join(_letter(fold, cutoff) for cutoff in every), fold.test) for fold in parted]
    lines = [f"{number:>2}  {letters}  test {test:%Y-%m-%d}" for number, (letters, test) in enumerate(rows, start=1)]
    return "\n".join([*lines, f"    {every[0]:%Y-%m-%d} to {every[-1]:%Y-%m-%d}: L learned from, T test, . left out"])


def folds_svg(parted: Sequence[Fold], *, width: int = 640) -> str:
    """Return the same picture as a small SVG element, ``width`` pixels wide, time to scale; colour is never the only sign."""
    if not parted:
        return '<svg xmlns="http://www.w3.org/2000/svg" width="0" height="0"></svg>'
    every = sorted({cutoff for fold in parted for cutoff in (*fold.learned, fold.test)})
    span = (every[-1] - every[0]) / timedelta(days=1) or 1.0
    marks = "".join(
        f'<text x="{20 + (width - 40) * ((cutoff - every[0]) / timedelta(days=1)) / span:.1f}" y="{22 * row + 16}" text-anchor="middle" '
        f'font-family="monospace" font-size="13" fill="{_COLOURS[_letter(fold, cutoff)]}">{_letter(fold, cutoff)}'
        f"<title>{cutoff:%Y-%m-%d}</title></text>"
        for row, fold in enumerate(parted)
        for cutoff in every
        if cutoff <= fold.test
    )
    label = f"{len(parted)} folds from {every[0]:%Y-%m-%d} to {every[-1]:%Y-%m-%d}: L learned from, T test"
    height = 22 * len(parted) + 6
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{label}">{marks}</svg>'


_COLOURS = {"L": "#1f5f99", "T": "#a61c3c", ".": "#999999"}


def _fold(ordered: Sequence[datetime], test: datetime, gap: timedelta, calibrate: int, min_fit: int) -> Fold | None:
    """Return the fold for one test with the largest calibrate part that leaves ``min_fit`` cutoffs to fit on, or None."""
    before = [cutoff for cutoff in ordered if cutoff + gap <= test]
    # A smaller part to calibrate on costs less than nothing to learn from.
    for size in range(min(calibrate, len(before)), 0, -1):
        late = before[-size:]
        fit = tuple(cutoff for cutoff in before if cutoff + gap <= late[0])
        if len(fit) >= min_fit:
            return Fold(fit, tuple(late), test, tuple(before))
    return None


def _letter(fold: Fold, cutoff: datetime) -> str:
    if cutoff == fold.test:
        return "T"
    return "L" if cutoff in fold.learned else "." if cutoff < fold.test else " "


def _part_row(usable: pd.DataFrame, number: int, part: str, cutoffs: tuple[datetime, ...]) -> tuple[object, ...]:
    rows = usable[usable["cutoff"].isin(cutoffs)]
    positives = int(rows["label"].sum())
    rate = positives / len(rows) if len(rows) else float("nan")
    return number, part, cutoffs[0], cutoffs[-1], len(cutoffs), len(rows), rows["customer_id"].nunique(), positives, rate


def _instant(moment: datetime) -> datetime:
    """Return a plain naive datetime for anything pandas reads as one (Timestamp, datetime64)."""
    return pd.Timestamp(moment).to_pydatetime()


def _gap(horizon_days: int, settle_days: int) -> timedelta:
    _at_least({"horizon_days": horizon_days}, 1)
    _at_least({"settle_days": settle_days}, 0)
    return timedelta(days=horizon_days + settle_days)


def _at_least(settings: dict[str, int], least: int) -> None:
    for name, value in settings.items():
        if value < least:
            raise PrevenanceError("E202", f"{name}={value} is below {least}", fix=f"set {name} to {least} or more")
