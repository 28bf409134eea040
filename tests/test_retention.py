"""What is kept how long: old rows of logs are counted out, windows that reach behind them are null, old results go."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from amount import some
from test_laws import DEFINITIONS, END, TARGETS, Frames
from worlds import CUTOFFS, world

from pipelines.start.compose import settings_of
from prevenance.base.errors import PrevenanceError
from prevenance.decide import feedback
from prevenance.decide.feedback import Answer
from prevenance.features.build import build
from prevenance.features.define import Feature, State, Trend
from prevenance.history.history import History, cut_history
from prevenance.privacy import retention
from prevenance.runs.manifest import is_balanced
from prevenance.sources.taken import Counts, Intake
from prevenance.targets.labels import cohort, label

pytestmark = pytest.mark.long

DAYS = 120
BEGIN = END - timedelta(days=DAYS)


def kept(frames: Frames, days: int | None = DAYS) -> tuple[History, dict[str, Counts]]:
    """Return the history of a world, its logs cut at so many days before the end, and the counts."""
    whole = History.from_frames(frames, END)
    read = {name: whole.con.execute(f"select count(*) from canonical.{name}").fetchall()[0][0] for name in whole.tables}
    return cut_history(
        Intake(whole.con, {name: Counts(number) for name, number in read.items()}, []), END, keep_days=dict.fromkeys(retention.LOGS, days)
    )


def features(frames: Frames, cutoffs: tuple[datetime, ...], days: int | None = DAYS) -> pd.DataFrame:
    customers = sorted(set(frames["customers"]["customer_id"]))
    asked = pd.DataFrame([(one, moment) for moment in cutoffs for one in customers], columns=["customer_id", "cutoff"])
    return build(kept(frames, days)[0], asked.astype({"customer_id": "str", "cutoff": "datetime64[us]"}), DEFINITIONS)


@pytest.mark.parametrize("seed", some(range(4), 1))
def test_old_rows_are_counted_out_and_what_they_were_changes_nothing(seed: int) -> None:
    frames = world(seed, rows=3.0)
    history, counts = kept(frames)
    assert all(is_balanced(one) for one in counts.values())
    went = {name: one.excluded.get("past_retention", 0) for name, one in counts.items()}
    assert sum(went.values()) > 0
    assert not [name for name, number in went.items() if number and name not in retention.LOGS]
    oldest = [
        history.con.execute(f"select min(event_at) from canonical.{name}").fetchall()[0][0]
        for name in retention.LOGS
        if name in history.tables
    ]
    assert all(one is None or one > BEGIN for one in oldest)
    other = {name: frame[frame["event_at"] > BEGIN] if name in retention.LOGS else frame for name, frame in frames.items()}
    pd.testing.assert_frame_equal(features(frames, CUTOFFS), features(other, CUTOFFS))


def test_a_window_that_opens_before_the_rows_that_are_kept_is_null_and_another_is_as_before() -> None:
    frames = world(3, rows=3.0)
    whole, cut_off = features(frames, CUTOFFS, None), features(frames, CUTOFFS)
    seen = 0
    for cutoff in CUTOFFS:
        now, then = (one[one["cutoff"] == pd.Timestamp(cutoff)] for one in (cut_off, whole))
        for one in DEFINITIONS:
            table = getattr(one, "table", None) or next(iter(getattr(one, "tables", ())), None)
            if isinstance(one, (Feature, State)) and one.days is not None and table in retention.LOGS and one.name in now:
                if cutoff - timedelta(days=one.days) < BEGIN:
                    assert now[one.name].isna().all(), (one.name, cutoff)
                elif isinstance(one, Feature) and then[one.name].notna().any() and now[one.name].notna().any():
                    pd.testing.assert_series_equal(now[one.name], then[one.name])
                    seen += 1
        days = {
            one.name: one.days for one in DEFINITIONS if isinstance(one, Feature) and one.days is not None and one.table in retention.LOGS
        }
        for one in DEFINITIONS:
            if isinstance(one, Trend) and one.of in days and cutoff - 2 * timedelta(days=days[one.of]) < BEGIN:
                assert now[one.name].isna().all(), one.name
    assert seen > 10


def test_a_label_whose_window_opens_before_the_rows_that_are_kept_is_not_known() -> None:
    frames = world(3, rows=3.0)
    history, early = kept(frames)[0], CUTOFFS[0] - timedelta(days=60)
    ticket = TARGETS[3]
    assert early < BEGIN < CUTOFFS[1]
    found = [label(history, ticket, cohort(kept(frames, None)[0], ticket, [moment]))["label"] for moment in (early, CUTOFFS[1])]
    assert len(found[0])
    assert found[0].isna().all()
    assert found[1].notna().all()


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("tables.customers=30", "E202.*customers says what holds until something else is said.*days may be set for usage"),
        ("tables.consents=30", "E202.*consents says what holds"),
        ("tables.usag=30", 'E201.*no "usag" to keep.*did you mean "usage"'),
        ("tables.usage=0", "E202.*tables.usage is 0"),
        ("artifacts.list=3", 'E201.*no "list" to keep.*did you mean "lists"'),
    ],
)
def test_a_retention_that_cannot_be_is_refused(setting: str, told: str) -> None:
    with pytest.raises(PrevenanceError, match=told):
        settings_of("score", [f"+privacy.retention.{setting}"])


def test_old_results_go_and_the_newest_list_and_latest_stay(tmp_path: Path) -> None:
    names = [f"{day}T000000Z-0123456789ab" for day in ("2024-01-01", "2024-02-01", "2026-09-01", "2026-09-30")]
    for area, folders in {
        "lists/churn": names,
        "lists/tickets": names[:2],
        "replay/churn": ["2024-01-01", "2026-01-01"],
        "explain/churn": names,
    }.items():
        for name in folders:
            (tmp_path / area / name).mkdir(parents=True)
            (tmp_path / area / name / "list.csv").write_text("x", encoding="utf-8")
    (tmp_path / "lists" / "churn" / "latest").symlink_to(names[1])
    (tmp_path / "lists" / "tickets" / "latest").symlink_to(names[1])
    (tmp_path / "export").mkdir()
    for name in ("churn-2024-01-01T000000Z.csv", "churn-2026-09-30T000000Z.csv", "notes.txt"):
        (tmp_path / "export" / name).write_text("x", encoding="utf-8")
    (tmp_path / "lists" / "churn" / ".tmp-2024-01-01T000000Z-0123456789ab").mkdir()
    answer = {
        "target": "churn",
        "customer_id": "c",
        "product_id": "",
        "run_id": "0" * 12,
        "cutoff": "2024-01-01T00:00:00Z",
        "action": "contacted",
    }
    answer |= dict.fromkeys(("until", "channel", "outcome", "reason", "by"), "")
    for at in ("2024-01-02T00:00:00Z", "2026-09-30T00:00:00Z"):
        feedback.append_answers(tmp_path, "churn", [Answer(**answer, at=at)])
    rules = {"lists": 730, "replay": 365, "explain": 90, "export": 365, "feedback": None}
    as_of = datetime(2026, 10, 1)
    assert retention.prune_results(tmp_path, as_of, dict.fromkeys(rules)) == {}
    assert retention.prune_results(tmp_path, as_of, rules) == {"lists": 2, "replay": 1, "explain": 2, "export": 1}
    assert sorted(path.name for path in (tmp_path / "lists" / "churn").iterdir() if not path.name.startswith(".")) == [*names[1:], "latest"]
    assert sorted(path.name for path in (tmp_path / "lists" / "tickets").iterdir()) == [names[1], "latest"]
    assert sorted(path.name for path in (tmp_path / "export").iterdir()) == ["churn-2026-09-30T000000Z.csv", "notes.txt"]
    assert retention.prune_results(tmp_path, as_of, rules | {"feedback": 365}) == {"feedback": 1}
    assert [one.at[:4] for one in feedback.load_answers(tmp_path, "churn")] == ["2026"]
    assert retention.prune_results(tmp_path, as_of, rules | {"feedback": 365}) == {}


def test_a_number_of_days_for_each_log_is_a_number_of_days_for_none_of_the_rest() -> None:
    assert np.isin(retention.LOGS, list(world(1))).all()
