"""Files of ours that were damaged after we wrote them: told with their path and what to do, or done without; nothing of them stops every night."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from pipelines.start.compose import with_remembered
from prevenance.api.results import Replay
from prevenance.base import kept
from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased
from prevenance.decide.feedback import Answer
from prevenance.models import shelf
from prevenance.privacy import erasure, trail
from prevenance.privacy.removal import Person
from prevenance.runs import erase, feedback
from prevenance.runs.feeds import rows_before
from prevenance.track import lists_log

DAMAGED = [b"", b"{", b"\xff\xfe", b"null", b"5", b'["x"]', b"[" * 100_000]
RUN, NIGHT = "0" * 16, "2026-10-01T000000Z"


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("content", DAMAGED)
def test_an_erasure_names_a_damaged_list_and_goes_on_without_it(tmp_path: Path, content: bytes) -> None:
    for place in (f"replay/churn/{NIGHT}", f"lists/churn/{NIGHT}-{RUN[:12]}"):
        folder = put(tmp_path / place / "list.json", content).parent
        put(folder / "manifest.json", b"{}")
        with pytest.raises(PrevenanceError, match=rf"E801 path=.*{place}/list\.json — the file is damaged") as refused:
            erasure.erase_customer(tmp_path, "C1")
        assert refused.value.fix.endswith(f"remove its folder (rm -r {folder}) and erase again")
        shutil.rmtree(folder)
        erasure.erase_customer(tmp_path, "C1")


@pytest.mark.parametrize("content", DAMAGED)
def test_an_erasure_names_a_damaged_manifest(tmp_path: Path, content: bytes) -> None:
    folder = put(tmp_path / "lists" / "churn" / f"{NIGHT}-{RUN[:12]}" / "list.json", b"[]").parent
    put(folder / "manifest.json", content)
    with pytest.raises(PrevenanceError, match=r"E801 path=.*manifest\.json — the file is damaged\. FIX: .* and erase again$"):
        erasure.erase_customer(tmp_path, "C1")


@pytest.mark.parametrize(
    "place", ["train/churn/features.parquet", "replay/churn/x/list.xlsx", "train/churn/table.csv.gz", "replay/churn/x/list.html"]
)
def test_an_erasure_names_any_other_file_that_nobody_can_read(tmp_path: Path, place: str) -> None:
    path = put(tmp_path / place, b'<script type="application/json" id="block">{C1</script>')
    with pytest.raises(PrevenanceError, match=rf"E801 path=.*{re.escape(path.name)} — the file is damaged") as refused:
        erasure.erase_customer(tmp_path, "C1")
    assert refused.value.fix.endswith(f"remove it (rm {path}) and erase again")
    path.unlink()
    erasure.erase_customer(tmp_path, "C1")


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_certificate_vouches_for_nothing(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "erasures" / "1.json", content)
    put(tmp_path / "erasures" / "2.json", b'{"customer": "m", "key_id": "k"}')
    assert erase.key_ids_used(tmp_path, "m") == {"k"}
    assert erasure.erase_customer(tmp_path, "C1").left == []


@pytest.mark.parametrize("content", DAMAGED)
def test_answers_to_a_damaged_list_are_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    answer = Answer("churn", "C1", "", RUN, "2026-10-01T00:00:00Z", "contacted", "2026-10-02T00:00:00Z", "", "", "", "", "")
    folder = tmp_path / "lists" / "churn" / f"{NIGHT}-{RUN[:12]}"
    put(folder / "manifest.json", json.dumps({"run_id": RUN}).encode())
    put(folder / "list.json", content)
    with pytest.raises(PrevenanceError, match=r"E801 path=.*list\.json — the file is damaged"):
        feedback._listed(tmp_path, answer)
    with pytest.raises(PrevenanceError, match=r"E801 path=.*list\.json"):
        feedback._owners(tmp_path, "churn", {RUN})
    put(folder / "manifest.json", content)
    assert feedback._listed(tmp_path, answer) is None
    assert feedback._owners(tmp_path, "churn", {RUN}) == {}


@pytest.mark.parametrize("content", DAMAGED)
def test_a_night_goes_on_where_what_it_only_tells_is_damaged(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "lists" / "churn" / "a" / "manifest.json", content)
    put(tmp_path / "spool" / "churn-1.json", content)
    said = lists_log.log_lists(tmp_path, [str(tmp_path / "lists" / "churn" / "a")])
    assert len(said) == 2
    assert all("damaged" in one for one in said)
    models = tmp_path / "models" / "churn"
    put(models / shelf.REIGNS, content)
    put(models / shelf.VERSIONS, content)
    assert shelf.champion_at(models, datetime(2026, 1, 1)) is None
    assert shelf.model_versions(models) == {}


@pytest.mark.parametrize("content", DAMAGED)
def test_what_a_run_cannot_do_without_is_named(tmp_path: Path, content: bytes) -> None:
    put(tmp_path / "erased.json", content)
    with pytest.raises(PrevenanceError, match="E904"):
        erased.load_erased(tmp_path)
    put(tmp_path / "audit.log", content or b"x")
    with pytest.raises(PrevenanceError, match="E309"):
        trail.verified_lines(tmp_path)
    put(tmp_path / "run.json", content)
    with pytest.raises(PrevenanceError, match=r"E801 path=.*run\.json"):
        with_remembered("score", [f"out={tmp_path}"])
    told = Replay(tmp_path / "r", "")
    put(tmp_path / "r" / "list.json", content)
    put(tmp_path / "r" / "summary.json", content)
    for read in (lambda: told.frame, lambda: told.summary):
        with pytest.raises(PrevenanceError, match=r"E801 path=.*r/\w+\.json — the file is damaged\. FIX: .*replay that date again"):
            read()


@pytest.mark.parametrize("lost", [Path.mkdir, lambda path: path.symlink_to("nowhere")], ids=["a folder", "a link that leads nowhere"])
def test_what_stands_in_the_place_of_a_file_is_damage_and_not_nobody(tmp_path: Path, lost: Callable[[Path], object]) -> None:
    assert not erased.load_erased(tmp_path).marks
    assert with_remembered("score", [f"out={tmp_path}"]) == [f"out={tmp_path}"]
    lost(tmp_path / "erased.json")
    lost(tmp_path / "run.json")
    with pytest.raises(PrevenanceError, match="E904"):
        erased.load_erased(tmp_path)
    with pytest.raises(PrevenanceError, match=r"E801 path=.*run\.json"):
        with_remembered("score", [f"out={tmp_path}"])
    with pytest.raises(PrevenanceError, match=r"E801 path=.*run\.json"):
        rows_before(tmp_path, [])


@pytest.mark.parametrize("kept_words", [b'{"overrides": 5, "source": "x"}', b'{"overrides": [1], "source": "x"}'])
def test_settings_that_are_none_are_no_settings(tmp_path: Path, kept_words: bytes) -> None:
    put(tmp_path / "run.json", kept_words)
    with pytest.raises(PrevenanceError, match=r"E801 path=.*run\.json"):
        with_remembered("score", [f"out={tmp_path}"])


def test_what_calls_itself_json_and_is_none_is_cleaned_as_text(tmp_path: Path) -> None:
    from prevenance.privacy.removal import without_person

    deep = b"[" * 100_000 + b"Zebulon"
    found, _ = without_person("report.json", deep, Person("C1", frozenset({"Zebulon"}), frozenset()))
    assert b"Zebulon" not in found
    with pytest.raises(PrevenanceError, match="E801"):
        kept.needed_rows(put(tmp_path / "x.json", b'[{"a": 1}]'), "a", "b")
