"""The laws of features and targets, tried on small random companies."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.features.build import build, feature_columns
from prevenance.features.define import Definition, Feature, State, Trend, columns_of
from prevenance.history.history import History
from prevenance.targets.labels import cohort, label
from prevenance.targets.target import Target
from prevenance.testing.worlds import CUTOFFS, snapshots, together, world

Frames = Mapping[str, pd.DataFrame]
"""A company: canonical table -> its rows."""

EDITS = ("delete", "change", "duplicate", "reorder", "fill in late", "forget")
TOGETHER = 4
"""Companies to a database: each database gets an edit of its own."""

END = CUTOFFS[-1] + timedelta(days=400)


def edited(frames: Frames, moment: datetime, edit: str, seed: int) -> dict[str, pd.DataFrame]:
    """Return the company with the facts that are not visible at ``moment`` edited (one of ``EDITS``); consents are the one exempt table."""
    dice, result = np.random.default_rng(seed), {}
    for name, frame in frames.items():
        hidden = ((frame["event_at"] > moment) | (frame["known_at"] > moment)).to_numpy()
        if name == "consents" or not hidden.any():
            result[name] = frame
            continue
        seen, unseen = frame[~hidden], frame[hidden]
        if edit == "delete":
            parts = [seen, unseen[dice.random(len(unseen)) < 0.5]]
        elif edit == "forget":
            parts = [seen]
        elif edit == "duplicate":
            parts = [seen, unseen, unseen]
        elif edit == "reorder":
            parts = [frame.sample(frac=1, random_state=seed)]
        else:
            changed = unseen.copy()
            for column in changed.columns.difference(["customer_id", "event_at", "known_at"]):
                changed[column] = changed[column].array.take(dice.permutation(len(changed)))
            later = pd.to_timedelta(dice.integers(1, 40 * 86400, len(changed)), unit="s")
            if edit == "fill in late":
                changed["known_at"] = changed["known_at"].clip(lower=pd.Timestamp(moment) + pd.Timedelta(microseconds=1)) + later
            parts = [seen, changed] if edit == "change" else [seen, unseen, changed]
        result[name] = pd.concat(parts, ignore_index=True)
    return result


def check_features(
    definitions: Sequence[Definition],
    *,
    companies: int = 20,
    seed: int = 0,
    worlds: Iterable[Frames] | None = None,
    pairs: Target | None = None,
) -> None:
    """Check that features know nothing of the future, keep their window, and say the same at one cutoff as at many.

    Args:
        definitions: the features, with those that trends and ratios among them rest on.
        companies: how many random companies to try.
        seed: of the companies.
        worlds: companies of one's own instead, where the random ones never meet a condition.
        pairs: for features of a customer and a product, the target whose offers are asked about.

    Raises:
        AssertionError: naming the law, the column, the customer and the cutoff; or that a column never held anything, so nothing is proved.
    """
    names = feature_columns(definitions)
    said = dict.fromkeys(names, False)
    for number, frames in enumerate(_companies(companies, seed, worlds)):
        asked = _asked(frames, pairs)
        many = build(History.from_frames(frames, END), asked, definitions)
        told = [name for name in names if name in many and many[name].nunique(dropna=False) > 1]
        said |= dict.fromkeys(told, True)
        for place, cutoff in enumerate(CUTOFFS):
            rows = asked[asked["cutoff"] == pd.Timestamp(cutoff)].reset_index(drop=True)
            alone = build(History.from_frames(frames, END), rows, definitions)
            _same(alone, many[many["cutoff"] == pd.Timestamp(cutoff)], "one cutoff says something else than many")
            edit = EDITS[(number + 2 * place) % len(EDITS)]
            after = build(History.from_frames(edited(frames, cutoff, edit, seed + number), END), rows, definitions)
            _same(alone, after, f"what was not known at the cutoff changes a feature (edit: {edit})")
            for one in definitions:
                _check_window(one, frames, rows, alone, cutoff, definitions)
    if silent := [name for name, held in said.items() if not held]:
        raise AssertionError(
            f"{', '.join(silent[:5])}: the same value, or none, for everybody in every company, so the laws prove nothing; pass worlds="
        )


def check_target(target: Target, *, companies: int = 20, seed: int = 0, worlds: Iterable[Frames] | None = None) -> None:
    """Check that a target's cohort knows nothing of the future, open windows have no label, closed labels never change, and one cutoff says the same as many.

    Raises:
        AssertionError: naming the law, the customer and the cutoff; or that no company had both labels, so nothing is proved.
    """
    seen: set[float] = set()
    for number, frames in enumerate(_companies(companies, seed, worlds)):
        history = History.from_frames(frames, END)
        many = label(history, target, cohort(history, target, CUTOFFS))
        for place, cutoff in enumerate(CUTOFFS):
            edit = EDITS[(number + 2 * place) % len(EDITS)]
            asked = cohort(history, target, [cutoff])
            # every edit once: whether one of them meets a customer that a cohort should not see is luck
            for one in (edit,) if number else EDITS:
                after = cohort(History.from_frames(edited(frames, cutoff, one, seed + number), END), target, [cutoff])
                _same(asked, after, f"what was not known at the cutoff changes the cohort (edit: {one})")
            told, closes = label(history, target, asked), target.closes(cutoff)
            _same(told, many[many["cutoff"] == pd.Timestamp(cutoff)], "one cutoff says something else than many")
            strange = told[~told["label"].isin([0.0, 1.0])]
            assert strange.empty, f"{target.name}: a closed window has the label {strange['label'].iloc[0]} ({_place(strange)})"
            outside = told[
                (told["outcome_at"] <= pd.Timestamp(cutoff))
                | (told["outcome_at"] > pd.Timestamp(cutoff) + pd.Timedelta(days=target.horizon_days))
            ]
            assert outside.empty, f"{target.name}: an outcome outside of (cutoff, cutoff + {target.horizon_days} days] ({_place(outside)})"
            seen |= set(told["label"])
            open_history = History.from_frames(frames, closes - timedelta(microseconds=1))
            still = label(open_history, target, cohort(open_history, target, [cutoff]))
            assert still["label"].isna().all(), f"{target.name}: a label while its window is open ({_place(still)})"
            later = History.from_frames(edited(frames, closes, edit, seed + number), END)
            _same(told, label(later, target, cohort(later, target, [cutoff])), f"a closed label changes (edit: {edit})")
    if seen != {0.0, 1.0}:
        held = ", ".join(f"{one:.0f}" for one in sorted(seen)) or "none at all"
        raise AssertionError(f"{target.name}: labels in all companies: {held}; with one kind only the laws prove nothing; pass worlds=")


def _companies(number: int, seed: int, worlds: Iterable[Frames] | None) -> Iterable[Frames]:
    if worlds is not None:
        return worlds
    # A statement is planned once for all companies of a database.
    every = [world(seed + one, customers=6, rows=(1.0, 0.2, 0.5)[one % 3]) for one in range(max(1, number))]
    return [together(every[start : start + TOGETHER]) for start in range(0, len(every), TOGETHER)]


def _asked(frames: Frames, pairs: Target | None) -> pd.DataFrame:
    if pairs is not None:
        return cohort(History.from_frames(frames, END), pairs, CUTOFFS)
    every = snapshots(6)
    own = sorted(set(frames["customers"]["customer_id"])) if "customers" in frames else []
    rows = [(one, cutoff) for cutoff in CUTOFFS for one in own]
    return pd.DataFrame(rows, columns=["customer_id", "cutoff"]).astype(every.dtypes.to_dict()) if own else every


def _check_window(
    one: Definition, frames: Frames, rows: pd.DataFrame, told: pd.DataFrame, cutoff: datetime, definitions: Sequence[Definition]
) -> None:
    """Check that what happened at or before the beginning of a definition's window plays no part in it."""
    by_name = {other.name: other for other in definitions}
    base = by_name.get(one.of) if isinstance(one, Trend) else one
    if not isinstance(base, Feature | State) or base.days is None:
        return
    start = pd.Timestamp(cutoff) - pd.Timedelta(days=base.days * (2 if isinstance(one, Trend) else 1))
    tables = [base.table] if isinstance(base, Feature) else list(base.tables)
    # One row is kept: a table of which nothing was known yet gives nulls, and that is another law.
    cut = {name: _without_old(frame, start) if name in tables else frame for name, frame in frames.items()}
    if any(len(cut[name]) == len(frames[name]) for name in tables):
        return
    kept = [other for other in definitions if other is one or other is base]
    after = build(History.from_frames(cut, END), rows, kept)
    columns = [*rows, *columns_of(one)]
    _same(told[columns], after[columns], f"what happened at or before the beginning of its {base.days} days changes {one.name}")


def _without_old(frame: pd.DataFrame, start: pd.Timestamp) -> pd.DataFrame:
    """Return the rows after ``start``, and the oldest known one of all, which belongs to nobody, so that the table still says something."""
    old = frame["event_at"] <= start
    marker = frame[old].sort_values("known_at").head(1)
    if "customer_id" in frame:
        marker = marker.assign(customer_id="nobody else")
    return pd.concat([frame[~old], marker], ignore_index=True)


def _same(one: pd.DataFrame, other: pd.DataFrame, law: str) -> None:
    left, right = one.reset_index(drop=True), other.reset_index(drop=True)
    keys = [name for name in ("customer_id", "cutoff", "product_id") if name in left]
    if len(left) != len(right) or not left[keys].equals(right[keys]):
        raise AssertionError(f"{law}: {len(left)} rows, then {len(right)} or others")
    for name in left:
        if not left[name].equals(right[name]):
            first, second = left[name], right[name]
            different = ~((first == second) | (first.isna() & second.isna()))
            place = different.idxmax()
            raise AssertionError(f"{law}: {name} was {first[place]}, then {second[place]} ({_place(left.loc[[place]])})")


def _place(rows: pd.DataFrame) -> str:
    return f"customer {rows['customer_id'].iloc[0]} at {rows['cutoff'].iloc[0]:%Y-%m-%d}"
