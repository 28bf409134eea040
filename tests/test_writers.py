from __future__ import annotations

import csv
import errno
import io
import json
import os
import stat
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from prevenance import __version__
from prevenance.base import disk, kept
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import canonical_json, csv_bytes, json_bytes, neutral_text, parquet_bytes
from prevenance.publish.folders import latest_folder, publish_list, write_files, write_status

CUTOFF = datetime(2026, 10, 1)
RUN = "0123456789abcdef" * 4
LONG = "x" * 40_000
UGLY = [
    '=cmd|"/c calc"!A1',
    "+1",
    "-1",
    "@sum(1)",
    "\t=1",
    "\x00=1",
    'Zoë, "Ltd"\nline two',
    "שלום \u202e abc",
    "😀",
    LONG,
    "",
    None,
    "<script>",
]


def frame() -> pd.DataFrame:
    size = len(UGLY)
    return pd.DataFrame(
        {
            "rank": pd.array([1, *[None] * (size - 1)], dtype="Int64"),
            "name": pd.Series(UGLY, dtype="str"),
            "score": [0.1 + 0.2, -0.0, np.nan, 1e-7, *[0.5] * (size - 4)],
            "expected_value": [-12.5] * size,
            "cutoff": pd.Series([CUTOFF] * size).dt.as_unit("us"),
            "flag": [True] * size,
        }
    )


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))


def test_csv_is_rfc_4180_and_reads_back_the_same_numbers() -> None:
    content = csv_bytes(frame())
    assert content.startswith(b"rank,name,score,expected_value,cutoff,flag\r\n")
    assert content.endswith(b"\r\n")
    rows = read_csv(content)
    assert [float(row["score"]) if row["score"] else None for row in rows[:4]] == [0.1 + 0.2, 0.0, None, 1e-7]
    assert rows[1]["score"] == "0.0"
    assert [row["rank"] for row in rows[:2]] == ["1", ""]
    assert {row["cutoff"] for row in rows} == {"2026-10-01T00:00:00Z"}
    assert {row["expected_value"] for row in rows} == {"-12.5"}


def test_no_cell_of_text_is_a_formula_or_holds_control_characters() -> None:
    names = [row["name"] for row in read_csv(csv_bytes(frame()))]
    assert names[:6] == ["'" + UGLY[0], "'+1", "'-1", "'@sum(1)", "'\t=1", "'=1"]
    assert names[6:10] == UGLY[6:10]
    assert names[10:12] == ["", ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\x00=", "\x1b=", "\ufeff=", "＝"])
def test_what_begins_like_a_formula_gets_an_apostrophe(start: str) -> None:
    assert neutral_text(start + "1").startswith("'")


def test_json_has_the_same_rows_with_raw_text() -> None:
    rows = json.loads(json_bytes(frame()))
    assert [row["name"] for row in rows] == UGLY
    assert list(rows[0]) == list(frame().columns)
    assert rows[0]["score"] == 0.1 + 0.2
    assert rows[2]["score"] is None
    assert rows[0]["rank"] == 1
    assert rows[0]["cutoff"] == "2026-10-01T00:00:00Z"


def test_a_list_of_nobody_keeps_its_columns() -> None:
    assert csv_bytes(frame().iloc[:0]) == b"rank,name,score,expected_value,cutoff,flag\r\n"
    assert json_bytes(frame().iloc[:0]) == b"[]\n"
    assert pq.read_table(io.BytesIO(parquet_bytes(frame().iloc[:0]))).column_names == list(frame().columns)


def test_parquet_reads_back_and_holds_nothing_but_the_columns() -> None:
    content = parquet_bytes(frame())
    assert content == parquet_bytes(frame())
    assert not pq.read_schema(io.BytesIO(content)).metadata
    back = pd.read_parquet(io.BytesIO(content))
    pd.testing.assert_frame_equal(back[["name", "score", "cutoff"]], frame()[["name", "score", "cutoff"]])
    objects = frame().assign(name=frame()["name"].astype(object), empty=pd.Series([None] * len(UGLY), dtype=object))
    assert pd.read_parquet(io.BytesIO(parquet_bytes(objects)))["empty"].isna().all()


def test_canonical_json_sorts_keys_and_knows_no_nan() -> None:
    value = {"b": [np.float64("nan"), np.int64(3), -0.0], "a": {"t": CUTOFF, "s": {"y", "x"}, "n": pd.NaT}, 3: (True, None)}
    inner = {"n": None, "s": ["x", "y"], "t": "2026-10-01T00:00:00Z"}
    assert json.loads(canonical_json(value)) == {"3": [True, None], "a": inner, "b": [None, 3, 0.0]}
    assert canonical_json(value) == canonical_json(dict(reversed(list(value.items()))))


FILES = {"list.csv": b"rank\r\n1\r\n", "quarantine/tickets.csv": b"_file\r\n"}


def test_a_list_is_published_whole_private_and_pointed_to(tmp_path: Path) -> None:
    folder = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN, "target": "churn"})
    assert folder == tmp_path / "lists" / "churn" / "2026-10-01T000000Z-0123456789ab"
    assert latest_folder(tmp_path, "churn") == folder
    assert os.readlink(tmp_path / "lists" / "churn" / "latest") == folder.name
    manifest = json.loads((folder / "manifest.json").read_text())
    assert sorted(manifest["files"]) == sorted(FILES)
    assert all(disk.contents(folder)[name] == content for name, content in FILES.items())
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert sorted(path.name for path in folder.parent.iterdir()) == [folder.name, "latest"]


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    folder = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN})
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN}) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_rerun_with_more_rows_to_come_leaves_the_published_folder_as_it_is(tmp_path: Path) -> None:
    folder = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN, "excluded": {"after_as_of": 1}})
    before = (folder / "manifest.json").read_bytes()
    assert publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN, "excluded": {"after_as_of": 9}}) == folder
    assert (folder / "manifest.json").read_bytes() == before


def test_a_published_folder_never_changes(tmp_path: Path) -> None:
    folder = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN})
    with pytest.raises(PrevenanceError, match=r"E801.*other content in list.csv.*move that folder away"):
        publish_list(tmp_path, "churn", CUTOFF, FILES | {"list.csv": b"else"}, {"run_id": RUN})
    assert (folder / "list.csv").read_bytes() == FILES["list.csv"]


def test_latest_moves_forward_and_never_back(tmp_path: Path) -> None:
    publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN})
    old = publish_list(tmp_path, "churn", datetime(2026, 9, 1), FILES, {"run_id": "b" * 64})
    assert old.is_dir()
    assert latest_folder(tmp_path, "churn") == tmp_path / "lists/churn/2026-10-01T000000Z-0123456789ab"
    same_day = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": "c" * 64})
    assert latest_folder(tmp_path, "churn") == same_day
    newer = publish_list(tmp_path, "churn", datetime(2026, 10, 2), FILES, {"run_id": "d" * 64})
    assert latest_folder(tmp_path, "churn") == newer


CALLS = ["mkdir", "open", "fsync", "rename", "symlink", "replace"]


@pytest.mark.parametrize("call", CALLS)
def test_trouble_with_the_disk_keeps_the_old_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    old = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN})
    before = disk.contents(old)

    real = os.open

    def full(*given: object, **named: object) -> int:
        if call == "open" and not int(str(given[1])) & os.O_CREAT:
            return real(*given, **named)  # type: ignore[arg-type]
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(PrevenanceError, match=r"ERROR E801 path=.*No space left.*free space"):
            publish_list(tmp_path, "churn", datetime(2026, 10, 2), FILES, {"run_id": "e" * 64})
    assert latest_folder(tmp_path, "churn") == old
    assert disk.contents(old) == before
    assert not list((tmp_path / "lists" / "churn").glob(".tmp-*"))
    newer = publish_list(tmp_path, "churn", datetime(2026, 10, 2), FILES, {"run_id": "e" * 64})
    assert latest_folder(tmp_path, "churn") == newer


@pytest.mark.parametrize("call", CALLS)
def test_after_a_stopped_run_the_next_one_is_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    old = publish_list(tmp_path, "churn", CUTOFF, FILES, {"run_id": RUN})

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, call, stopped)
        with pytest.raises(KeyboardInterrupt):
            publish_list(tmp_path, "churn", datetime(2026, 10, 2), FILES, {"run_id": "e" * 64})
    assert latest_folder(tmp_path, "churn") == old
    (old.parent / ".tmp-killed-0123abcd").mkdir()
    newer = publish_list(tmp_path, "churn", datetime(2026, 10, 2), FILES, {"run_id": "e" * 64})
    assert sorted(path.name for path in old.parent.iterdir()) == sorted([old.name, newer.name, "latest"])


@pytest.mark.parametrize("name", ["../list.csv", "/etc/passwd", "a/../../b", "", "manifest.json", "a\\b"])
def test_names_that_reach_outside_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        publish_list(tmp_path, "churn", CUTOFF, {name: b""}, {"run_id": RUN})


def test_each_command_has_its_status_and_the_night_keeps_its_own(tmp_path: Path) -> None:
    for day, status, last in ((1, 0, 1), (2, 4, 1), (3, 0, 3)):
        path = write_status(tmp_path / "out", {"pipeline": "score", "exit": status}, datetime(2026, 10, day))
        told = json.loads(path.read_text())
        assert (path.name, told["exit"], told["version"]) == ("status.json", status, __version__)
        assert (told["at"], told["last_success"]) == (f"2026-10-0{day}T00:00:00Z", f"2026-10-0{last}T00:00:00Z")
    for pipeline in ("train", "explain", "audit_log"):
        path = write_status(tmp_path / "out", {"pipeline": pipeline, "exit": 2}, CUTOFF)
        assert path == tmp_path / "out" / "status" / f"{pipeline.replace('_', '-')}.json"
        assert json.loads(path.read_text())["last_success"] is None
    assert json.loads((tmp_path / "out" / "status.json").read_text())["pipeline"] == "score", "the night's stays the night's"


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"\xff\xfe", b'"score"', b"null"])
def test_a_damaged_status_is_replaced(tmp_path: Path, damaged: bytes) -> None:
    disk.write(tmp_path / "status.json", damaged)
    told = json.loads(write_status(tmp_path, {"pipeline": "score", "exit": 4}, CUTOFF).read_text())
    assert told["last_success"] is None


def test_training_files_replace_the_old_ones(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "out" / "train" / "churn", {"report.json": b"{}"})
    assert [each.name for each in folder.iterdir()] == ["report.json"]
    assert [each.name for each in (tmp_path / "out").iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize("damaged", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000])
def test_a_damaged_file_is_named_or_done_without(tmp_path: Path, damaged: bytes) -> None:
    path = disk.write(tmp_path / "run.json", damaged)
    assert kept.whole_json(path) is None
    with pytest.raises(
        PrevenanceError, match=r"E801 path=.*run\.json — the file is damaged\. FIX: restore it from a backup, or move it away"
    ):
        kept.needed_json(path, "source")


def test_a_link_in_the_place_of_the_lists_is_not_followed(tmp_path: Path) -> None:
    for place in ("lists/churn", "lists"):
        out, elsewhere = tmp_path / place.replace("/", "-"), tmp_path / "elsewhere"
        (out / place).parent.mkdir(parents=True)
        elsewhere.mkdir(exist_ok=True)
        (out / place).symlink_to(elsewhere)
        with pytest.raises(PrevenanceError, match="E801 path=.* — a link stands where lists are published"):
            publish_list(out, "churn", CUTOFF, {}, {"run_id": RUN})
        assert list(elsewhere.iterdir()) == []
