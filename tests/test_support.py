"""Tickets as a process: parts, map and ways against slow plain loops, what cannot be told, and what a page may show."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import support_twin as twin
from amount import amount
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from worlds import CUTOFFS, together, world

from prevenance.base.working import WorkingHours, working_seconds
from prevenance.history.history import History
from prevenance.publish.finished import check_report_folder
from prevenance.support import cut, intervals, layout, teams
from prevenance.support.facts import Facts, support_facts
from prevenance.support.kpis import KPIS
from prevenance.support.page import map_picture, report_page
from prevenance.support.parts import PART_AFTER, PARTS
from prevenance.support.records import Asked
from prevenance.tables.canonical import TABLES
from prevenance.testing import EDITS, edited
from prevenance.words import LANGUAGES, words

END = CUTOFFS[-1] + timedelta(days=60)
START = datetime(2025, 1, 6, 8)
STAMP = {"date": "1 Apr 2025", "run": "Run 0"}


def log(*rows: tuple[Any, ...], **columns: Any) -> pd.DataFrame:
    """Return tickets of (ticket, event, hours after the start[, group]), each known as it happens."""
    found = [
        {"customer_id": f"c{one[0]}", "ticket_id": one[0], "event": one[1], "event_at": START + timedelta(hours=one[2])}
        | {"group": one[3] if len(one) > 3 else None}
        for one in rows
    ]
    frame = pd.DataFrame(found).assign(**columns)
    return frame.assign(known_at=frame["event_at"])


def facts_of(frame: pd.DataFrame, cutoff: datetime | None = None, **asked: Any) -> Facts:
    until = cutoff or frame["event_at"].max() + timedelta(days=1)
    history = History.from_frames({"tickets": frame}, until)
    return support_facts(history, Asked(until, **asked))


def compare(facts: Facts, every: Mapping[str, list[twin.Row]]) -> None:
    """Hold a report against the plain loops: every part of every ticket, every arrow, every way."""
    held = dict(every)
    found = facts.paths.set_index("ticket_id")
    assert sorted(found.index) == sorted(held)
    for ticket, rows in held.items():
        wanted, row = twin.parts(rows), found.loc[ticket]
        if wanted is None:
            assert row[[f"{part}_seconds" for part in PARTS]].isna().all()
            continue
        assert {part: row[f"{part}_seconds"] for part in PARTS} == wanted
        assert row["resolve_seconds"] == sum(wanted.values())
        assert row["working_resolve_seconds"] == sum(row[f"{part}_working_seconds"] for part in PARTS)
    arrows = {(one.source, one.target): (one.times, one.seconds, one.median_seconds) for one in facts.edges.itertuples()}
    assert arrows == twin.edges(held)
    ways = twin.variants(held)
    assert facts.variants_in_all == len(ways)
    for one in facts.variants.itertuples():
        assert ways[tuple(one.steps)] == one.tickets
    every_way = sorted(ways.values(), reverse=True)
    assert list(facts.variants["tickets"]) == every_way[: len(facts.variants)]
    assert sum(every_way[: facts.variants_for_most]) >= 0.8 * len(held) > sum(every_way[: facts.variants_for_most - 1])


def test_every_kind_of_row_leads_to_a_part() -> None:
    assert set(PART_AFTER) == set(TABLES["tickets"].column("event").choices) == set(twin.PART)
    assert PART_AFTER == twin.PART


@pytest.mark.long
@settings(max_examples=amount(3, 6), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 10_000), cutoff=st.sampled_from(CUTOFFS))
def test_parts_map_and_ways_are_those_of_plain_loops(seed: int, cutoff: datetime) -> None:
    frame = together([world(seed + number, rows=2.0) for number in range(10)])["tickets"]
    compare(facts_of(frame, cutoff), twin.tickets(frame, cutoff))


def report_bytes(frames: dict[str, pd.DataFrame], cutoff: datetime) -> tuple[str, bytes, bytes, str]:
    facts = support_facts(History.from_frames(frames, END), Asked(cutoff, "Europe/Paris", levels=("a", "b"), least_tickets=2))
    say = words("fr", "Europe/Paris")
    kpis, paths = (frame.to_csv(index=False).encode() for frame in (facts.kpis, facts.paths))
    return report_page(say, facts, STAMP), kpis, paths, map_picture(say, facts)


@settings(max_examples=3, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 10_000), cutoff=st.sampled_from(CUTOFFS))
def test_the_future_changes_no_byte_of_a_report(seed: int, cutoff: datetime) -> None:
    each = [world(seed + number, rows=2.0) for number in range(2 * len(EDITS))]
    after = [edited(one, cutoff, EDITS[number % len(EDITS)], seed + number) for number, one in enumerate(each)]
    assert report_bytes(together(each), cutoff) == report_bytes(together(after), cutoff)


def test_a_report_that_looked_at_later_rows_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    import prevenance.support.log as module

    frames = world(5, rows=2.0)
    monkeypatch.setattr(module, "visible_sql", lambda table, cutoff, apart: f"(select * from canonical.{table})")
    assert any(report_bytes(frames, CUTOFFS[0]) != report_bytes(edited(frames, CUTOFFS[0], edit, 5), CUTOFFS[0]) for edit in EDITS)


@pytest.mark.long
def test_the_order_of_the_rows_of_a_table_changes_no_byte() -> None:
    frames = world(11, rows=3.0)
    mixed = frames | {"tickets": frames["tickets"].sample(frac=1, random_state=3, ignore_index=True)}
    assert report_bytes(frames, CUTOFFS[-1]) == report_bytes(mixed, CUTOFFS[-1])


def test_a_ticket_in_words() -> None:
    frame = log(
        *(("t", event, hour) for event, hour in (("opened", 0), ("assigned", 2), ("asked", 3), ("answered", 9), ("replied", 10))),
        *(("t", event, hour) for event, hour in (("transferred", 12), ("assigned", 15), ("resolved", 16), ("reopened", 40))),
        *(("t", event, hour) for event, hour in (("approval_asked", 41), ("approval_given", 45), ("resolved", 46), ("closed", 100))),
    )
    row = facts_of(frame).paths.iloc[0]
    hours = {part: row[f"{part}_seconds"] / 3600 for part in PARTS}
    assert hours == {
        "first_queue": 2, "work": 4, "handoff": 3, "clarification": 6, "approval": 4, "other_wait": 0, "queue_again": 3, "thought_solved": 24
    }  # fmt: skip
    assert (row["resolve_seconds"], row["first_resolve_seconds"], row["closing_seconds"]) == (46 * 3600, 16 * 3600, 54 * 3600)


def test_working_hours_are_those_of_the_clock() -> None:
    frame = world(8, rows=3.0)["tickets"]
    facts = facts_of(frame, CUTOFFS[-1])
    rows = {ticket: rows for ticket, rows in twin.tickets(frame, CUTOFFS[-1]).items() if twin.parts(rows)}
    assert rows
    for row in facts.paths[facts.paths["resolve_seconds"].notna()].to_dict("records"):
        wanted = dict.fromkeys(PARTS, 0.0)
        solved = max(place for place, one in enumerate(rows[row["ticket_id"]]) if one["event"] == "resolved")
        for one, after in zip(rows[row["ticket_id"]][:solved], rows[row["ticket_id"]][1:], strict=False):
            ends = (np.array([moment["event_at"]], dtype="datetime64[us]") for moment in (one, after))
            wanted[twin.PART[one["event"]]] += float(working_seconds(WorkingHours(), *ends)[0])
        assert {part: float(row[f"{part}_working_seconds"]) for part in PARTS} == wanted


def text_of(facts: Facts, language: str = "en") -> str:
    page = report_page(words(language), facts, STAMP)
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_one_ticket_gives_a_page_without_intervals() -> None:
    facts = facts_of(log(("t", "opened", 0), ("t", "assigned", 1), ("t", "resolved", 5)))
    assert "A ticket takes 5.0 hours on average" in text_of(facts)
    assert facts.kpis["low"].isna().all()


def test_a_log_of_openings_and_closings_says_that_it_cannot_be_told() -> None:
    facts = facts_of(log(("t", "opened", 0), ("t", "closed", 5), ("u", "opened", 1)))
    assert "Where the days go cannot be told from this log: no ticket in it was resolved." in text_of(facts)
    assert "2 tickets are not resolved yet" in text_of(facts)
    assert facts.kpis["value"].isna().all()


def test_an_end_before_the_start_is_left_out_and_told() -> None:
    facts = facts_of(log(("t", "resolved", 0), ("t", "opened", 5), ("u", "opened", 1), ("u", "resolved", 3)))
    assert (facts.counts.end_before_start, facts.counts.resolved, facts.overall["tickets"]) == (1, 1, 1)
    assert "1 ticket was resolved before it was opened and is left out." in text_of(facts)


def test_many_words_for_steps_give_a_map_of_kinds() -> None:
    frame = log(*((f"t{n}", event, n + hour) for n in range(80) for event, hour in (("opened", 0), ("replied", 1), ("resolved", 2))))
    facts = facts_of(frame.assign(activity=[f"word {n}" for n in range(len(frame))]))
    assert set(facts.nodes["step"]) == {"opened", "replied", "resolved"}
    assert "240 different words" in text_of(facts)
    assert "word 7" not in text_of(facts)


def weekly(counts: list[int], days_to_solve: float = 2) -> pd.DataFrame:
    """Return so many tickets in each week, the oldest first, each solved some days later."""
    moments = [(week, n) for week, count in enumerate(counts) for n in range(count)]
    rows = []
    for number, (week, n) in enumerate(moments):
        at = week * 168 + 168 * (n + 0.5) / counts[week]
        rows += [(f"t{number}", "opened", at), (f"t{number}", "resolved", at + 24 * days_to_solve)]
    return log(*rows)


@pytest.mark.parametrize(
    ("last", "weeks"), [([20, 20, 20], 0), ([9, 30, 12], 0), ([20, 200], 1), ([1, 0, 1], 3), ([0], 1), ([5], 0), ([200, 210, 190], 3)]
)
def test_a_log_that_is_cut_off_is_seen(last: list[int], weeks: int) -> None:
    frame = weekly([20] * 30 + last)
    until = START + timedelta(weeks=30 + len(last))
    facts = facts_of(frame[frame["event_at"] <= until], until)
    if not weeks:
        assert facts.cut is None
        return
    assert facts.cut is not None
    assert facts.cut.first == until - timedelta(weeks=weeks)
    withheld = facts.kpis[(facts.kpis["period"] == "week") & (facts.kpis["last_day"] >= str(facts.cut.first.date()))]
    assert withheld["value"].isna().all()
    assert set(withheld.loc[~withheld["kpi"].isin(facts.missing), "note"]) <= {"withheld: the log is cut off here"}
    assert facts.windows[0].last < facts.cut.first.date() + timedelta(days=1)
    assert "The log is cut off: since" in text_of(facts)


def test_a_short_log_is_never_called_cut_off() -> None:
    facts = facts_of(weekly([20] * 6 + [0, 0]), START + timedelta(weeks=8))
    assert facts.cut is None


def test_what_a_log_lacks_is_said_for_each_kpi() -> None:
    facts = facts_of(weekly([20] * 12))
    assert facts.missing == {
        "first_reply_median": "replied", "first_reply_median_working": "replied", "first_contact": "replied", "reopened": "reopened",
        "several_hands": "hand", "last_level": "level", "csat": "rated",
    }  # fmt: skip
    notes = facts.kpis[facts.kpis["kpi"].isin(facts.missing)]
    assert notes["note"].str.startswith("cannot be told from this log: ").all()
    assert notes["value"].isna().all()
    text = text_of(facts)
    assert "CSAT cannot be told from this log" in text
    assert "no replies" in text


def test_kpis_are_what_they_say() -> None:
    frame = log(
        ("a", "opened", 0, "one"), ("a", "replied", 1, "one"), ("a", "resolved", 2, "one"), ("a", "rated", 3, "one"),
        ("b", "opened", 0, "one"), ("b", "replied", 4, "one"), ("b", "escalated", 5, "two"), ("b", "resolved", 6, "two"),
        ("b", "reopened", 8, "two"), ("b", "resolved", 10, "two"),
    ).assign(score=[None, None, None, 4, *[None] * 6], hand=[1, 1, 1, None, 1, 1, 2, 2, 2, 2])  # fmt: skip
    facts = facts_of(frame, levels=("one", "two"))
    now = facts.kpis[facts.kpis["period"] == "now"].set_index("kpi")["value"].to_dict()
    wanted = {
        "resolve_median": 6, "resolve_mean": 6, "first_resolve_median": 4, "first_reply_median": 2.5, "first_contact": 0.5, "reopened": 0.5,
        "touches": 3, "several_hands": 0.5, "last_level": 0.5, "csat": 4, "resolve_median_working": 6, "resolve_mean_working": 6,
        "first_reply_median_working": 2.5,
    }  # fmt: skip
    assert now == wanted
    assert set(wanted) == {one.name for one in KPIS}


@pytest.mark.long
def test_the_baseline_is_the_same_season_where_the_log_reaches_back() -> None:
    long = facts_of(weekly([10] * 80), START + timedelta(weeks=80))
    assert long.windows[1] is not None
    assert (long.same_season, (long.windows[0].first - long.windows[1].first).days) == (True, 364)
    short = facts_of(weekly([10] * 40), START + timedelta(weeks=40))
    assert short.windows[1] is not None
    assert (short.same_season, (short.windows[0].first - short.windows[1].first).days) == (False, 91)
    assert "another season" in text_of(short)
    given = facts_of(weekly([10] * 80), START + timedelta(weeks=80), baseline=("2025-02-01", "2025-04-30"))
    assert str(given.windows[1].first) == "2025-02-01"  # type: ignore[union-attr]
    assert facts_of(weekly([10] * 5)).windows[1] is None


def test_targets_are_met_or_not() -> None:
    facts = facts_of(weekly([10] * 30), targets={"resolve_median": 40.0, "touches": 2.0})
    now = facts.kpis[facts.kpis["period"] == "now"].set_index("kpi")["met"]
    assert (now["resolve_median"], now["touches"], now["resolve_mean"]) == ("no", "yes", "")


@pytest.mark.parametrize(
    ("sizes", "shown"),
    [
        ({"a": 5, "b": 4, "c": 1}, {"a": "a", "b": "", "c": ""}),
        ({"a": 5, "b": 2, "c": 2}, {"a": "a", "b": None, "c": None}),
        ({"a": 9, "b": 4}, {"a": "a", "b": "", "c": ""}),
        ({"a": 9}, {"a": "a", "b": None, "c": None}),
        ({}, {"a": None, "b": None, "c": None}),
    ],
)
def test_small_teams_are_other_teams_or_not_shown(sizes: dict[str, int], shown: dict[str, str | None]) -> None:
    assert teams.shown_teams("abc", sizes) == shown


def test_a_team_of_two_stands_in_no_file_and_on_no_page() -> None:
    rows = [
        (f"t{n}", event, n + hour, team) for n in range(90) for event, hour, team in (("opened", 0, "large"), ("assigned", 1, "tiny duo"))
    ]
    rows += [(f"t{n}", "resolved", n + 3, ("large", "tiny duo", "other five")[n % 3]) for n in range(90)]
    facts = facts_of(log(*rows), team_sizes={"large": 12, "tiny duo": 2, "other five": 4})
    assert "tiny duo" not in text_of(facts) + facts.paths.to_csv() + facts.kpis.to_csv()
    assert set(facts.groups["team"]["name"]) == {"large", ""}
    assert "other teams" in text_of(facts)
    hidden = facts_of(log(*rows), team_sizes={"large": 12, "other five": 12, "tiny duo": 2})
    assert set(hidden.groups["team"]["name"]) == {"large", "other five"}
    assert hidden.paths["team"].isna().sum() == 30


def test_no_hand_reaches_a_page_or_a_file() -> None:
    rows = [(f"t{n}", event, n + hour) for n in range(40) for event, hour in (("opened", 0), ("assigned", 1), ("resolved", 3))]
    facts = facts_of(log(*rows, hand=[777, 778, 779] * 40))
    for frame in (facts.paths, facts.kpis, facts.edges, facts.variants, facts.waits, facts.nodes):
        assert not {"hand", "hands"} & set(frame.columns)
        assert not re.search(r"\b77[789]\b", frame.to_csv())
    assert not re.search(r"\b77[789]\b", text_of(facts))


HOSTILE = "</svg><script>alert(1)</script>\"'&=cmd|' /C"


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_of_the_data_are_escaped_and_pages_are_whole(language: str) -> None:
    rows = [(f"t{n}", event, n + hour, HOSTILE) for n in range(40) for event, hour in (("opened", 0), ("assigned", 1), ("resolved", 3))]
    frame = log(*rows, category=HOSTILE, priority=HOSTILE, activity=HOSTILE)
    page = report_page(words(language), facts_of(frame, team_sizes={HOSTILE: 9}), STAMP)
    assert "<script" not in page
    assert page.rstrip().endswith("</html>")
    assert "script-src 'none'" in html.unescape(page)
    assert "http" not in re.sub(r'xmlns="http://www.w3.org/2000/svg"|http-equiv', "", page)


def test_intervals_of_means_shares_and_medians() -> None:
    rng = np.random.default_rng(7)
    values, customers = rng.normal(10, 2, 4000), rng.integers(0, 400, 4000)
    sums, counts = (np.bincount(customers, weights=weights, minlength=400) for weights in (values, np.ones(4000)))
    for value, low, high in (intervals.mean_interval(sums, counts), intervals.median_interval(values, customers)):
        assert low < value < high
        assert high - low == pytest.approx(4 * 2 / np.sqrt(4000), rel=0.4)
    share = intervals.mean_interval(np.zeros(50), np.full(50, 3.0), share=True)
    assert share[:2] == (0, 0)
    assert 0.02 < share[2] < 0.12
    assert np.isnan(intervals.mean_interval(np.ones(5), np.ones(5))[1])
    assert np.isnan(intervals.mean_interval(np.zeros(0), np.zeros(0))).all()


def test_intervals_hold_what_they_promise() -> None:
    rng, held = np.random.default_rng(3), 0
    for _ in range(400):
        base = rng.normal(0, 1, 60)
        customers = np.repeat(np.arange(60), 8)
        values = base[customers] + rng.normal(0, 1, 480)
        sums = np.bincount(customers, weights=values, minlength=60)
        _, low, high = intervals.mean_interval(sums, np.full(60, 8.0))
        held += low <= 0 <= high
    assert 0.92 <= held / 400 <= 0.98


def test_a_difference_of_estimates_has_both_their_doubts() -> None:
    assert intervals.difference_interval((5, 4, 6), (3, 2, 4)) == pytest.approx((2, 2 - 2**0.5, 2 + 2**0.5))


def test_a_map_is_laid_out_downwards_and_the_same_each_time() -> None:
    arrows = {("a", "b"): 9, ("b", "c"): 9, ("a", "c"): 2, ("c", "b"): 1, ("b", "b"): 3}
    placed = layout.placed_map(["a", "b", "c"], arrows)
    assert placed == layout.placed_map(["a", "b", "c"], dict(reversed(arrows.items())))
    assert [placed.places[step][1] for step in "abc"] == sorted(placed.places[step][1] for step in "abc")
    assert len(placed.ways["a", "c"]) == 3  # past the layer of b
    assert ("b", "b") not in placed.ways
    assert all(0 <= x <= placed.size[0] and 0 <= y <= placed.size[1] for x, y in placed.places.values())


def test_steps_of_one_layer_do_not_lie_over_each_other() -> None:
    arrows = {("s", f"m{n}"): n + 1 for n in range(9)} | {(f"m{n}", "e"): n + 1 for n in range(9)}
    placed = layout.placed_map(["s", *(f"m{n}" for n in range(9)), "e"], arrows)
    across = sorted(x for step, (x, _) in placed.places.items() if step.startswith("m"))
    assert min(np.diff(across)) >= 168


def test_an_unfinished_report_is_refused(tmp_path: Any) -> None:
    from prevenance.base.errors import PrevenanceError
    from prevenance.publish.folders import write_bundle

    facts = facts_of(log(("t", "opened", 0), ("t", "resolved", 5)))
    from prevenance.base.formats import csv_bytes, parquet_bytes

    files = {"paths.parquet": parquet_bytes(facts.paths), "kpis.csv": csv_bytes(facts.kpis), "report.html": b"<!doctype html><html></html>"}
    good = {"run_id": "0" * 64, "counts": {"tickets": 1}}
    assert write_bundle(tmp_path / "good", files, good, check_report_folder).is_dir()
    for name, content in (
        ("report.html", b"<!doctype html><html>"),
        ("paths.parquet", files["paths.parquet"][:-9]),
        ("kpis.csv", b"a,b\n1"),
    ):
        with pytest.raises(PrevenanceError, match=f"E603.*{name}"):
            write_bundle(tmp_path / "bad", files | {name: content}, good, check_report_folder)
    with pytest.raises(PrevenanceError, match="E603.*1 tickets, the manifest counts 2"):
        write_bundle(tmp_path / "bad", files, replace_count(good, 2), check_report_folder)
    assert not (tmp_path / "bad").exists()


def replace_count(manifest: dict[str, Any], tickets: int) -> dict[str, Any]:
    return manifest | {"counts": {"tickets": tickets}}


def test_the_table_of_kpis_reads_back() -> None:
    from prevenance.base.formats import csv_bytes

    facts = facts_of(weekly([10] * 30))
    rows = list(csv.DictReader(io.StringIO(csv_bytes(facts.kpis).decode())))
    assert {row["period"] for row in rows} == {"now", "baseline", "month", "week"}
    assert replace(facts).kpis is facts.kpis
    assert cut.LEAST_WEEKS > 0
