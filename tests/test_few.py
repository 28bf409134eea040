"""Few customers are asked from their own rows, many from all: who else is asked about changes nothing, nor does who was asked before."""

import os
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from worlds import CUTOFFS, together, world

from prevenance.features import definitions
from prevenance.features.build import build
from prevenance.features.define import State
from prevenance.features.planned import shared_definitions
from prevenance.history import few
from prevenance.history.history import History, visible_each_sql, visible_sql
from prevenance.sources import raw

DEFINITIONS = shared_definitions(definitions())
MOMENTS = (CUTOFFS[1] - timedelta(days=28), CUTOFFS[1])


def asked(customers: list[str]) -> pd.DataFrame:
    rows = [(one, moment) for moment in MOMENTS for one in customers]
    return pd.DataFrame(rows, columns=["customer_id", "cutoff"]).astype({"customer_id": "str", "cutoff": "datetime64[us]"})


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    return together([world(seed, customers=8, rows=2.0) for seed in range(11, 16)])


def history_of(frames: dict[str, pd.DataFrame]) -> History:
    return History.from_frames(frames, CUTOFFS[-1] + timedelta(days=60))


@pytest.mark.parametrize("size", [3, 15, 39])
def test_few_some_and_most_customers_have_what_they_have_among_all(frames, size):
    history, every = history_of(frames), sorted(set(frames["customers"]["customer_id"]))
    whole = build(history_of(frames), asked(every), DEFINITIONS).set_index(["customer_id", "cutoff"])
    for chosen in (every[:size], every[-size:]):  # others in between: what was set apart of them is of no use again
        found = build(history, asked(chosen), DEFINITIONS).set_index(["customer_id", "cutoff"])
        pd.testing.assert_frame_equal(found, whole.loc[found.index])


def test_the_rows_of_few_are_set_apart_once(frames):
    history, every = history_of(frames), sorted(set(frames["customers"]["customer_id"]))
    build(history, asked(every[:3]), DEFINITIONS)
    assert history.con.execute("select count(distinct customer_id) from own_usage").fetchall()[0][0] <= 3
    history.con.execute("delete from own_usage")  # had they been set apart again, nobody would see it
    states = [one for one in DEFINITIONS if isinstance(one, State) and one.name == "first_use"]
    for some in (every[:3], every[1:3]):  # nor for some of them
        assert (build(history, asked(some), states)["first_90d_active_days"].fillna(0) == 0).all()
    again = build(history, asked(every[1:4]), states)
    pd.testing.assert_frame_equal(again, build(history_of(frames), asked(every[1:4]), states))
    some = build(history, asked(every[2:4]), DEFINITIONS)
    pd.testing.assert_frame_equal(some, build(history_of(frames), asked(every[2:4]), DEFINITIONS))


def test_control_rows_of_others_are_seen(frames, monkeypatch):
    every = sorted(set(frames["customers"]["customer_id"]))
    history = history_of(frames)
    monkeypatch.setattr(few, "FEW", 0)  # everybody is few
    right = build(history_of(frames), asked(every[:9]), DEFINITIONS)
    build(history, asked(every[:8]), DEFINITIONS)
    whose, kept = history.answers[few.own_rows]
    history.answers[few.own_rows] = (pd.Index(every[:9], dtype="str"), kept)  # taken for those of nine
    assert len(whose) == 8
    assert not build(history, asked(every[:9]), DEFINITIONS).equals(right)


@pytest.mark.parametrize("where", ["true", "kind = 'login'"])
def test_one_moment_is_asked_as_several_are(frames, where):
    history, (before, now) = history_of(frames), MOMENTS

    def rows(query: str) -> list[tuple[object, ...]]:
        return history.con.execute(f"select customer_id, event_at, known_at, kind, cutoff, age_days from {query} order by all").fetchall()

    both = f"(from {visible_each_sql('usage', [before, now], where)} where cutoff = timestamp '{now}')"
    alone = f"(from {visible_sql('usage', now)} where {where})"
    assert rows(visible_each_sql("usage", [now, now], where)) == rows(both) == rows(alone) != []


def test_a_file_is_read_again_only_when_its_clocks_have_moved(tmp_path: Path, monkeypatch):
    path, read = tmp_path / "export.csv", list[Path]()
    true = raw._digest
    monkeypatch.setattr(raw, "_digest", lambda one: (read.append(one), true(one))[1])
    path.write_text("a,b\n1,2\n")
    first = raw.file_digest(path)
    assert raw.file_digest(path) == first
    assert len(read) == 2, "just written: it could change again within the same tick"
    monkeypatch.setattr(raw, "TICK", -60.0)  # as if it had been written a while ago
    assert raw.file_digest(path) == raw.file_digest(path) == first
    assert len(read) == 3
    told = path.stat()
    path.write_text("a,b\n1,3\n")  # of the same size, its date put back
    os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert raw.file_digest(path) != first
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    os.utime(other, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert raw.file_digest(other) == first
    path.unlink()
    assert raw.file_digest(path) == "FileNotFoundError"
    other.rename(path)
    assert raw.file_digest(path) == first
