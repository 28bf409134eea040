"""The benchmark's contenders agree cell by cell; no clock is asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.contenders import definitions, main, ours, pandas
from bench.facts import CUTOFFS, write
from bench.reading import differences, read_by
from prevenance.features.build import build, feature_columns
from prevenance.features.define import Feature, Last
from prevenance.history.history import History

pytestmark = pytest.mark.long

CUSTOMERS = 300
COLUMNS = feature_columns(definitions())


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "usage.parquet"
    write(path, 20_000, CUSTOMERS)
    return path


@pytest.fixture(scope="module")
def built(facts: Path) -> pd.DataFrame:
    return ours(facts, CUSTOMERS)


def test_the_facts_are_what_the_benchmark_says(facts: Path) -> None:
    frame = pd.read_parquet(facts)
    assert len(frame) == 20_000
    assert frame["event_at"].is_monotonic_increasing
    assert (frame["known_at"] > frame["event_at"]).mean() == pytest.approx(0.02, abs=0.005)
    assert 85 <= len(COLUMNS) <= 95
    assert len(CUTOFFS) == 12


def test_ours_and_pandas_agree_cell_by_cell(facts: Path, built: pd.DataFrame) -> None:
    theirs = pandas(facts, CUSTOMERS)
    assert built["customer_id"].tolist() == theirs["customer_id"].astype("str").tolist()
    for column in COLUMNS:
        np.testing.assert_array_equal(built[column].to_numpy(), theirs[column].to_numpy(), err_msg=column)


def test_late_facts_matter(facts: Path, built: pd.DataFrame, tmp_path: Path) -> None:
    frame = pd.read_parquet(facts)
    prompt = frame.assign(known_at=frame["event_at"])
    prompt.to_parquet(tmp_path / "prompt.parquet")
    assert not ours(tmp_path / "prompt.parquet", CUSTOMERS)[COLUMNS].equals(built[COLUMNS])


def test_the_order_of_the_facts_and_the_pieces_they_come_in_do_not_matter(
    facts: Path, built: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(facts)
    pq.write_table(table.take(np.random.default_rng(3).permutation(len(table))), tmp_path / "shuffled.parquet")
    for name, value in {"CHUNK_BYTES": 500_000, "BATCH": 2_048, "MANY_LATE": 20}.items():
        monkeypatch.setattr(f"prevenance.features.cells.{name}", value)
    pd.testing.assert_frame_equal(ours(tmp_path / "shuffled.parquet", CUSTOMERS), built, check_exact=True)


def test_the_last_value_does_not_depend_on_order_or_pieces(facts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    days = {"event_at": lambda frame: frame["event_at"].dt.floor("D"), "known_at": lambda frame: frame["known_at"].dt.floor("D")}
    frame = pd.read_parquet(facts).assign(**days)
    snapshots = pd.DataFrame(
        [(one, cutoff) for cutoff in CUTOFFS for one in sorted(frame["customer_id"].unique())], columns=["customer_id", "cutoff"]
    )
    last = [Feature("last", "usage", Last("quantity"), "", "", 90), Feature("ever", "usage", Last("quantity"), "", "kind = 'use'")]
    expected = build(History.from_frames({"usage": frame}, CUTOFFS[-1]), snapshots, last)
    for name, value in {"CHUNK_BYTES": 100_000, "BATCH": 2_048, "MANY_LATE": 20}.items():
        monkeypatch.setattr(f"prevenance.features.cells.{name}", value)
    shuffled = frame.sample(frac=1.0, random_state=5, ignore_index=True)
    pd.testing.assert_frame_equal(build(History.from_frames({"usage": shuffled}, CUTOFFS[-1]), snapshots, last), expected, check_exact=True)
    seen = frame[(frame["event_at"] <= CUTOFFS[5]) & (frame["known_at"] <= CUTOFFS[5]) & frame["quantity"].notna()]
    newest = seen.sort_values(["event_at", "known_at", "quantity"]).groupby("customer_id")["quantity"].last().astype(float)
    found = expected[expected["cutoff"] == CUTOFFS[5]].set_index("customer_id")["ever"]
    pd.testing.assert_series_equal(found.dropna(), newest, check_names=False, check_exact=True, check_index_type=False)


def test_contenders_report_the_same_fingerprint(facts: Path, tmp_path: Path) -> None:
    reports = {name: main(name, facts, CUSTOMERS, tmp_path) for name in ("ours", "pandas", "scan")}
    assert reports["ours"]["digest"] == reports["pandas"]["digest"]
    assert reports["ours"]["columns"] == len(list(tmp_path.glob("*.npy"))) == len(COLUMNS)
    assert "digest" not in reports["scan"]


@pytest.mark.long
def test_two_trees_are_read_side_by_side(tmp_path: Path) -> None:
    tree = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-m", "pipelines.demo", f"data={tmp_path / 'demo'}", "demo.customers=60"], cwd=tree, check=True)
    before, after = (read_by(tree, "demo", tmp_path / "demo", tmp_path / name) for name in ("before", "after"))
    assert before["seconds"] > 0
    assert after["counts"]["usage"]["used"] > 0
    assert differences(before, after) == []
    after["counts"]["usage"]["rows"] = "1"
    assert len(differences(before, after)) == 1
