"""Laws of the watch: what comes after a date changes nothing that it says of that date, and a slow, obvious second way gives the same figures."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from amount import amount
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.start.compose import settings_of
from prevenance.history.history import History
from prevenance.judge.drift import input_drift
from prevenance.proof.watch.events import CHANCE, EDGE, LITTLE, MUCH, judged_count, table_events
from prevenance.proof.watch.tonight import chance_warnings, outcome_rates
from prevenance.proof.watch.verdict import list_record
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.schema import Settings
from prevenance.runs.watch import judged_lists
from prevenance.runs.watched import closed_rows
from prevenance.targets.churn import by_event
from prevenance.words import words

FIRST, NAMES = datetime(2026, 1, 5), [f"c{n}" for n in range(9)]
TARGET = by_event(horizon_days=28, settle_days=3)
DAY = timedelta(days=1)

Rows = list[dict[str, Any]]


def log(seed: int, days: int = 200) -> dict[str, Rows]:
    """Return rows of a small company: contracts, notices and tickets with their edits, most known at once, some days later."""
    dice = np.random.default_rng(seed)

    def row(name: str, at: float, **more: Any) -> dict[str, Any]:
        event_at = FIRST + at * DAY
        late = float(dice.choice([0.0, 0.2, 5.0, 40.0], p=[0.5, 0.3, 0.1, 0.1]))
        return {"customer_id": name, "event_at": event_at, "known_at": event_at + late * DAY, **more}

    began = {name: float(dice.uniform(-60, 60)) for name in NAMES}
    contracts = [row(name, at, subscription_id=f"s{name}", event="started", mrr=10.0) for name, at in began.items()]
    contracts += [row(str(dice.choice(NAMES)), at, subscription_id="n", event="notice") for at in dice.uniform(0, days, 14)]
    tickets: Rows = []
    for number, at in enumerate(dice.uniform(-60, days, 120)):
        name = str(dice.choice(NAMES))
        tickets.append(row(name, at, ticket_id=f"t{number}", event="opened"))
        tickets += [row(name, at + float(dice.uniform(0, 30)), ticket_id=f"t{number}", event="replied") for _ in range(dice.integers(0, 3))]
    people = [{"customer_id": name, "event_at": FIRST - 90 * DAY, "known_at": FIRST - 90 * DAY, "segment": "small"} for name in NAMES]
    return {"customers": people, "subscriptions": contracts, "tickets": tickets}


def history_of(rows: dict[str, Rows], until: datetime) -> History:
    return History.from_frames({name: pd.DataFrame(each) for name, each in rows.items()}, until)


def visible(rows: Rows, moment: datetime) -> Rows:
    return [one for one in rows if one["event_at"] <= moment and one["known_at"] <= moment]


def lists_of(seed: int) -> dict[datetime, pd.DataFrame]:
    """Return published lists by cutoff: who was ranked, and what the chances said."""
    dice, found = np.random.default_rng(seed + 1), {}
    for days in sorted(dice.integers(0, 190, 7).tolist()):
        rows = pd.DataFrame(
            {"customer_id": dice.permutation(NAMES), "state": "open", "score": dice.uniform(0.01, 0.6, len(NAMES)).round(4)}
        )
        found[FIRST + days * DAY] = rows.assign(rank=[1, 2, 3, 4, *[None] * (len(NAMES) - 4)])
    return found


def publish(out: Path, lists: dict[datetime, pd.DataFrame]) -> None:
    for cutoff, rows in lists.items():
        folder = out / "lists" / "churn" / f"{cutoff:%Y-%m-%dT%H%M%SZ}-{cutoff.toordinal():012x}"
        folder.mkdir(parents=True)
        content = rows.to_json(orient="records").encode()
        manifest: dict[str, Any] = {"target": "churn", "cutoff": f"{cutoff.isoformat()}Z", "run_id": "r", "model": {"version": "m"}}
        manifest |= {"tables": {}, "privacy": {}, "gates": {"dried.usage": "warn", "fresh.usage": "warn"}, "watch": {"warned": []}}
        manifest["files"] = {"list.json": hashlib.sha256(content).hexdigest()}
        (folder / "list.json").write_bytes(content)
        (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.fixture(scope="module")
def asked() -> Settings:
    return settings_of("watch", ["target=churn"])


def said(asked: Settings, rows: dict[str, Rows], lists: dict[datetime, pd.DataFrame], as_of: datetime) -> pd.DataFrame:
    """Return what ``make watch`` says of the lists."""
    from dataclasses import replace

    inputs = cast("Inputs", SimpleNamespace(history=history_of(rows, as_of), as_of=as_of))
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder), lists)
        found, _ = judged_lists(replace(asked, out=folder), inputs, TARGET, words("en"))
    return found


def came(rows: dict[str, Rows], name: str, cutoff: datetime) -> bool:
    """Return whether a customer gave notice in ``(cutoff, cutoff + 28]``, as far as it was known three days later."""
    return any(
        one["event"] == "notice"
        and one["customer_id"] == name
        and cutoff < one["event_at"] <= cutoff + 28 * DAY
        and one["known_at"] <= cutoff + 31 * DAY
        for one in rows["subscriptions"]
    )


def at_risk(rows: dict[str, Rows], cutoff: datetime) -> list[str]:
    """Return who had a contract at the cutoff, as far as it was known."""
    return sorted({one["customer_id"] for one in visible(rows["subscriptions"], cutoff) if one["event"] == "started"})


SEEDS, MOMENTS = st.integers(0, 2**31), st.integers(40, 200)


@settings(max_examples=amount(3, 100), deadline=None)
@given(seed=SEEDS, days=MOMENTS, shift=st.integers(1, 400))
def test_what_comes_later_changes_no_figure_of_a_list(asked: Settings, seed: int, days: int, shift: int) -> None:
    rows, lists, as_of = log(seed), lists_of(seed), FIRST + days * DAY
    hidden = {name: [one for one in each if one not in visible(each, as_of)] for name, each in rows.items()}
    other = {name: visible(each, as_of) for name, each in rows.items()}
    for name, each in hidden.items():
        other[name] += [one | {"known_at": max(one["known_at"], as_of) + shift * timedelta(hours=1)} for one in each[::2]]
    other["subscriptions"] += [
        {"customer_id": one, "event_at": as_of - DAY, "known_at": as_of + DAY, "subscription_id": "x", "event": "notice"} for one in NAMES
    ]
    later = lists | {max(as_of, max(lists)) + DAY: lists[max(lists)]}
    pd.testing.assert_frame_equal(said(asked, rows, lists, as_of), said(asked, other, later, as_of))


@settings(max_examples=amount(3, 100), deadline=None)
@given(seed=SEEDS, days=MOMENTS)
def test_what_became_of_closed_lists_is_what_counting_gives(asked: Settings, seed: int, days: int) -> None:
    rows, lists, as_of = log(seed), lists_of(seed), FIRST + days * DAY
    found = said(asked, rows, lists, as_of).set_index("cutoff")
    assert list(found.index) == [cutoff for cutoff in sorted(lists) if cutoff <= as_of]
    for cutoff, row in found.iterrows():
        listed = lists[cutoff]
        ranked = listed[listed["rank"].notna()]
        assert row["expected_hits"] == pytest.approx(sum(ranked["score"]), abs=0.006)
        assert row["spread"] == pytest.approx(sum(one * (1 - one) for one in ranked["score"]), abs=6e-5)
        assert row["warned"] == "dried"
        if cutoff + 31 * DAY > as_of:
            assert pd.isna(row["hits"])
            assert pd.isna(row["outcomes"]), "an open window has no outcome, not none"
        else:
            assert row["hits"] == sum(came(rows, name, cutoff) for name in ranked["customer_id"])
            assert row["outcomes"] == sum(came(rows, name, cutoff) for name in listed["customer_id"])


@settings(max_examples=amount(3, 100), deadline=None)
@given(seed=SEEDS, days=MOMENTS)
def test_the_rate_of_outcomes_is_that_of_the_window_that_has_just_closed(seed: int, days: int) -> None:
    rows, as_of = log(seed), FIRST + days * DAY
    cutoff = as_of - 31 * DAY
    inputs = cast("Inputs", SimpleNamespace(history=history_of(rows, as_of), as_of=as_of))
    found = outcome_rates(closed_rows(inputs, TARGET, as_of))
    people = [name for name in at_risk(rows, cutoff) if can_be_judged(rows, name, cutoff)]
    wanted = [(len(people), sum(came(rows, name, cutoff) for name in people))] if people else []
    assert [(int(one.customers), int(one.outcomes)) for one in found.itertuples()] == wanted


def can_be_judged(rows: dict[str, Rows], name: str, cutoff: datetime) -> bool:
    """Whether a customer did something within a year, and what is known of them (a contract too, not that they exist) began long enough ago."""
    tickets, contracts = (
        [one["event_at"] for one in visible(rows[table], cutoff) if one["customer_id"] == name] for table in ("tickets", "subscriptions")
    )
    old = cutoff - min([*tickets, *contracts], default=cutoff) >= TARGET.min_known_days * DAY
    return old and any(at > cutoff - 365 * DAY for at in tickets)


@settings(max_examples=amount(3, 100), deadline=None)
@given(seed=SEEDS, days=MOMENTS, length=st.sampled_from([1, 2, 4, 7, 28]), weeks=st.integers(0, 6))
def test_the_events_of_a_window_are_what_counting_gives(seed: int, days: int, length: int, weeks: int) -> None:
    rows, as_of = log(seed), FIRST + days * DAY
    moment = as_of - 7 * weeks * DAY
    events = table_events(history_of(rows, as_of), "tickets", as_of)
    firsts: dict[str, dict[str, Any]] = {}
    for one in visible(rows["tickets"], as_of):
        kept = firsts.get(one["ticket_id"], one)
        firsts[one["ticket_id"]] = one if (one["event_at"], one["known_at"]) < (kept["event_at"], kept["known_at"]) else kept
    # A window of the past counts what was known within it, with whole days of delay.
    counted = [
        one
        for one in firsts.values()
        if moment - length * DAY < one["event_at"] <= moment and (as_of - one["known_at"]) // DAY >= (as_of - moment) // DAY
    ]
    assert int(events.window(length, 7 * weeks)[0]) == len(counted)


def poisson_tail(count: float, expected: float, *, upper: bool) -> float:
    """Return P(X <= count), or P(X >= count), of a Poisson whose counts need not be whole: the series of the incomplete gamma function."""
    shape = count if upper else count + 1
    if shape == 0:
        return 1.0
    terms = (math.exp(n * math.log(expected) - math.lgamma(shape + n + 1)) for n in range(2000))
    below = math.exp(shape * math.log(expected) - expected) * math.fsum(terms)
    return below if upper else 1 - below


@settings(max_examples=amount(40, 500), deadline=None)
@given(now=st.integers(0, 90), past=st.lists(st.integers(0, 40), min_size=8, max_size=60))
def test_a_count_is_told_by_its_chance_and_by_the_days_of_the_past(now: int, past: list[int]) -> None:
    usual = float(median(past))
    off = 1.4826 * median([abs(one - usual) for one in past])
    expected = max(usual, 1.0)
    spread = max(off**2 / expected, 1.0)
    ordered = sorted(past)

    def quantile(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = ordered[math.floor(place)]
        return low + (place - math.floor(place)) * (ordered[math.ceil(place)] - low)

    rare_few, rare_many = (poisson_tail(now / spread, expected / spread, upper=upper) for upper in (False, True))
    if any(0.999 < chance / CHANCE < 1.001 for chance in (rare_few, rare_many)):
        return
    kind = ""
    if now < LITTLE * usual and now * 1.25 < quantile(EDGE) and rare_few < CHANCE:
        kind = "dried"
    elif now > MUCH * usual and now > 1.25 * quantile(1 - EDGE) and rare_many < CHANCE:
        kind = "doubled"
    assert judged_count(now, np.array(past, dtype=np.int64)) == (kind, usual)


def slow_index(old: pd.DataFrame, new: pd.DataFrame) -> float:
    """Return the stability index of the scores: tenths of the old, customers weighed alike, cells of under five customers as one."""

    def weighed(frame: pd.DataFrame) -> list[tuple[float, float]]:
        times = {name: list(frame["customer_id"]).count(name) for name in set(frame["customer_id"])}
        return [(float(score), 1 / times[name] / len(times)) for name, score in zip(frame["customer_id"], frame["score"], strict=True)]

    ordered = sorted(float(one) for one in old["score"])
    edges = sorted({ordered[math.floor(share / 10 * (len(ordered) - 1))] for share in range(1, 10)})
    sides, sizes = [weighed(old), weighed(new)], [old["customer_id"].nunique(), new["customer_id"].nunique()]
    cells = [[sum(w for score, w in side if sum(score > edge for edge in edges) == n) for side in sides] for n in range(len(edges) + 1)]
    sparse = [cell for cell in cells if sum(cell) / 2 * min(sizes) < 5]
    kept = [cell for cell in cells if cell not in sparse] + (
        [[sum(one[0] for one in sparse), sum(one[1] for one in sparse)]] if sparse else []
    )
    kept = [cell for cell in kept if sum(cell) > 0]
    shares = [[(cell[side] * sizes[side] + 0.5) / (sizes[side] + 0.5 * len(kept)) for side in (0, 1)] for cell in kept]
    return sum((now - before) * math.log(now / before) for before, now in shares)


@settings(max_examples=amount(2, 60), deadline=None)
@given(seed=SEEDS, shift=st.floats(0.6, 1.4))
def test_the_index_of_the_chances_and_their_sum_are_what_the_obvious_way_gives(seed: int, shift: float) -> None:
    dice = np.random.default_rng(seed)
    parts = [
        pd.DataFrame(
            {"customer_id": [f"{n}" for n in range(60)], "cutoff": pd.Timestamp(FIRST + 7 * week * DAY), "score": dice.beta(2, 8, 60)}
        )
        for week in range(10)
    ]
    now = parts[-1].assign(cutoff=pd.Timestamp(FIRST + 70 * DAY), score=lambda rows: np.clip(rows["score"] * shift + (shift - 1) / 3, 0, 1))
    past = pd.concat(parts, ignore_index=True)
    earlier = past[past["cutoff"] <= pd.Timestamp(FIRST + 56 * DAY)]
    sums = [sum(each["score"]) for _, each in earlier.groupby("cutoff")]
    usual, total = median(sums), sum(now["score"])
    swings = [abs(one - usual) for one in sums]
    limit = max(4 * 1.4826 * median(swings), 0.25 * usual, 1.25 * max(swings))
    found = chance_warnings("churn", past, now)
    assert [one.kind for one in found if one.kind == "total"] == (["total"] if abs(total - usual) > limit else [])
    for one in found:
        if one.kind == "total":
            assert (one.facts["sum"], one.facts["usual"]) == (round(total, 2), round(usual, 2))
    for moved in input_drift(earlier, now, ["score"]).moved:
        assert moved.psi == pytest.approx(slow_index(earlier, now), rel=1e-9)


@settings(max_examples=amount(40, 500), deadline=None)
@given(
    lists=st.lists(
        st.tuples(st.integers(0, 300), st.floats(0.5, 20), st.one_of(st.none(), st.integers(0, 30))),
        max_size=14,
        unique_by=lambda one: one[0],
    ),
    horizon=st.sampled_from([7, 28, 90]),
)
def test_the_record_holds_lists_whose_windows_do_not_overlap(lists: list[tuple[int, float, int | None]], horizon: int) -> None:
    rows = [{"cutoff": FIRST + day * DAY, "expected_hits": said, "spread": said * 0.7, "hits": hits} for day, said, hits in sorted(lists)]
    frame = pd.DataFrame(rows, columns=["cutoff", "expected_hits", "spread", "hits"]).astype({"cutoff": "datetime64[us]"})
    chosen: list[tuple[int, float, int]] = []
    for day, expected, hits in sorted(lists, reverse=True):
        if hits is not None and all(abs(day - other) >= horizon for other, _, _ in chosen):
            chosen.append((day, expected, hits))
    found = list_record(frame, horizon)
    expected, hits = sum(one[1] for one in chosen), sum(one[2] for one in chosen)
    assert (found.lists, found.hits) == (len(chosen), hits)
    assert found.expected == pytest.approx(expected, abs=0.006)
    limit = max(2 * sum(one[1] * 0.7 for one in chosen) ** 0.5, 0.2 * expected)
    if len(chosen) < 3:
        assert found.right is None
    elif abs(abs(hits - expected) - limit) > 1e-9:
        assert found.right is (abs(hits - expected) <= limit)
