"""A finished feature table from anywhere: its leaks are named, clean ones are not, and every refusal says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from amount import amount

from pipelines import leakage as pipeline
from pipelines.start.run import _guarded
from prevenance.judge.leakage import find_leaks


def check(out: Path, *arguments: str) -> int:
    return _guarded("leakage", pipeline.body, [f"out={out}", *arguments])


def clean(seed: int, rows: int = 900) -> pd.DataFrame:
    """A finished table: numbers, counts, a category and a column with holes; the outcome depends on three of them."""
    generator = np.random.default_rng(seed)
    hidden = generator.normal(size=(rows, 8))
    chance = 1 / (1 + np.exp(1.5 - hidden[:, :3] @ generator.uniform(0.3, 0.6, 3)))
    table = pd.DataFrame(hidden, columns=[f"number_{place}" for place in range(8)])
    table["tickets_90d"] = generator.poisson(np.exp(np.clip(0.5 + 0.7 * hidden[:, 0], -3, 4)))
    table["plan"] = generator.choice(["basic", "team", "large"], rows)
    table["score"] = pd.Series(hidden[:, 5]).mask(generator.random(rows) < 0.3)
    table["seats_always"] = 5
    table.insert(0, "customer_id", [f"c{number:05d}" for number in range(rows)])
    return table.assign(churn=(generator.random(rows) < chance).astype(int))


def planted(kind: str, table: pd.DataFrame, generator: np.random.Generator) -> pd.Series:
    """A column that knows the outcome, in one of the ways met in the field."""
    gone, rows = table["churn"] > 0, len(table)
    if kind == "copied with noise":
        return table["churn"] * 2.0 + generator.normal(size=rows)
    if kind == "filled in afterwards":
        return pd.Series(generator.choice(["price", "merger"], rows)).where(gone & (generator.random(rows) < 0.6))
    if kind == "emptied afterwards":
        return pd.Series(generator.normal(size=rows)).mask(gone & (generator.random(rows) < 0.6))
    if kind == "edited just before":
        edited = pd.Timestamp("2026-01-01") - pd.to_timedelta(
            np.where(gone, generator.uniform(0, 9, rows), generator.exponential(90, rows)), unit="D"
        )
        return pd.Series(edited).dt.strftime("%Y-%m-%d")
    stop = np.where(gone, generator.uniform(5, 90, rows), 90.0)
    return pd.Series(stop - generator.uniform(0, 20, rows))


KINDS = ("copied with noise", "filled in afterwards", "emptied afterwards", "edited just before", "tenure that stops at the outcome")


def test_clean_tables_are_left_alone():
    names = [f"number_{place}" for place in range(8)] + ["tickets_90d", "plan", "score"]
    tables = [clean(seed) for seed in range(10)]
    frames = [table.assign(label=table["churn"].astype(float), cutoff=pd.Timestamp(0)) for table in tables]
    assert [found for frame in frames for found in find_leaks(frame, names, (), 7)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_planted_leaks_are_named_first(tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    named = []
    for seed in (1, 2, 3)[: amount(1, 3)]:
        table = clean(seed)
        table.assign(leak=planted(kind, table, np.random.default_rng(seed))).to_csv(tmp_path / "table.csv", index=False)
        assert check(tmp_path / "out", f"features={tmp_path / 'table.csv'}", "label=churn") == 0
        named.append(json.loads((tmp_path / "out" / "leakage" / "report.json").read_text())["leakage"])
    assert named == [["leak"]] * amount(1, 3)
    said = capsys.readouterr().out
    assert "VERDICT   1 of 12 features looks like a leak: leak" in said
    assert "1 constant columns skipped" in said


@pytest.mark.parametrize(
    ("columns", "told"),
    [({}, "it has no column beside them"), ({"a": [None] * 4}, "all of its columns hold one value or none (a)"),
     ({"a": [1] * 4, "b": ["x"] * 4}, "all of its columns hold one value or none (a, b)")],
)  # fmt: skip
def test_where_nothing_is_looked_at_nothing_is_passed(tmp_path: Path, columns: dict, told: str, capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"label": [0, 1, 0, 1], **columns}).to_csv(tmp_path / "table.csv", index=False)
    assert check(tmp_path / "out", f"features={tmp_path / 'table.csv'}", "label=label") == 3
    line = capsys.readouterr().err
    assert line.startswith("ERROR E304")
    assert f"there is no feature to look at: {told}" in line


def test_a_removal_that_costs_too_much_is_named():
    generator = np.random.default_rng(3)
    label = (generator.random(3000) < 0.3).astype(float)
    key = generator.integers(0, 2, 3000)
    lock = np.where(generator.random(3000) < 0.4, generator.integers(0, 2, 3000), np.abs(key - label))
    frame = pd.DataFrame({"customer_id": np.arange(3000), "cutoff": pd.Timestamp(0), "label": label, "key": key, "lock": lock})
    frame["noise"] = generator.normal(size=3000)
    assert "a small model reaches AUC" in str(find_leaks(frame, ["key", "lock", "noise"], (), 7)[0]["why"])


def test_rare_outcomes_of_a_large_table_are_all_looked_at():
    generator = np.random.default_rng(1)
    label = np.zeros(60_000)
    label[:50] = 1.0
    frame = pd.DataFrame({"customer_id": np.arange(60_000), "cutoff": pd.Timestamp(0), "label": label})
    frame["leak"], frame["noise"] = label * 2 + generator.normal(size=60_000), generator.normal(size=60_000)
    assert [one["feature"] for one in find_leaks(frame.sample(frac=1.0, random_state=2), ["leak", "noise"], (), 7)] == ["leak"]


@pytest.mark.long
def test_parquet_dates_words_and_an_own_id_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = clean(4).rename(columns={"customer_id": "kunde", "churn": "Gone away"})
    table["Gone away"] = table["Gone away"].map({1: "Yes", 0: "no"}).mask(table.index < 10)
    table["month"], table["state"] = pd.Timestamp("2026-01-01"), np.where(table["Gone away"] == "Yes", "left", "here")
    table.to_parquet(tmp_path / "table.parquet")
    where = [f"features={tmp_path / 'table.parquet'}", "label=Gone away", "id=kunde", "cutoff=month"]
    assert check(tmp_path / "out", *where) == 0
    said = capsys.readouterr().out
    assert "by kunde" in said
    assert "10 rows without a label left out" in said
    assert "VERDICT   1 of 12 features looks like a leak: state" in said
    assert check(tmp_path / "out", *where, "fail=true") == 6
    assert "ERROR E602" in capsys.readouterr().err


REFUSED = [
    ([], 2, "features is not set"),
    (["features=TABLE"], 2, "label is not set"),
    (["features=TABLE", "lable=churn"], 2, 'did you mean "label"'),
    (["features=nowhere.csv", "label=churn"], 4, "no file at nowhere.csv"),
    (["features=TABLE", "label=chrun"], 3, 'did you mean "churn"'),
    (["features=TABLE", "label=churn", "id=customer"], 3, 'did you mean "customer_id"'),
    (["features=TABLE", "label=plan"], 3, "900 of 900 rows hold 3 other values"),
    (["features=TABLE", "label=seats_always"], 3, "must be 0 or 1"),
    (["features=TABLE", "label=zero"], 3, "0 in every labelled row"),
    (["features=TABLE", "label=churn", "cutoff=plan"], 3, "not every cutoff is a date"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), REFUSED, ids=lambda value: str(value)[:40])
def test_refusals_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str) -> None:
    clean(5).assign(zero=0).to_csv(tmp_path / "table.csv", index=False)
    asked = [one.replace("TABLE", str(tmp_path / "table.csv")) for one in arguments]
    assert check(tmp_path / "out", *asked) == status
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert words in err
    assert "FIX: " in err


def test_too_few_outcomes_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = clean(6).head(40)
    table.assign(leak=table["churn"]).to_csv(tmp_path / "table.csv", index=False, sep=";")
    assert check(tmp_path / "out", f"features={tmp_path / 'table.csv'}", "label=churn") == 0
    assert "too few customers to tell" in capsys.readouterr().out
