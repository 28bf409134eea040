"""The gate on libraries: that nothing was found counts only if every locked library was looked at. Answers are stored ones."""

from __future__ import annotations

import json
import subprocess

import pytest

from pipelines import audit
from pipelines.sbom import LOCK
from prevenance.base.errors import PrevenanceError
from prevenance.runs import libraries as advisories
from prevenance.runs.libraries import audited_count, locked_pins

VERSIONS = {"typing-extensions": "4.1", "colorama": "0.4.6", "jinja2": "3.1.0"}
LOCKED = set(VERSIONS.items())
WEAK = {"id": "PYSEC-2026-1", "fix_versions": ["3.0.9", "3.1.6"], "aliases": ["CVE-2026-1"], "description": "a text"}


def told(*skipped: str, **weak: list[dict]) -> str:
    looked = [
        {"name": name.replace("-", "_"), "version": VERSIONS[name], "vulns": weak.get(name, [])} for name in VERSIONS if name not in skipped
    ]
    return json.dumps({"dependencies": [*looked, *({"name": name, "skip_reason": "not found on PyPI"} for name in skipped)], "fixes": []})


def test_every_locked_library_was_audited() -> None:
    assert audited_count(LOCKED, [told()]) == 3


def test_a_library_that_was_not_audited_fails_the_gate() -> None:
    with pytest.raises(PrevenanceError, match=r"E604 first=colorama==0.4.6 — 2 of 3 locked libraries were audited"):
        audited_count(LOCKED, [told("colorama")])
    with pytest.raises(PrevenanceError, match=r"E604 first=jinja2==3.1.9 — 2 of 3"):
        audited_count(LOCKED - {("jinja2", "3.1.0")} | {("jinja2", "3.1.9")}, [told()])


def test_a_known_weakness_is_named_with_the_version_that_mends_it() -> None:
    with pytest.raises(
        PrevenanceError, match=r"E605 first=jinja2==3.1.0 — 1 known weaknesses: jinja2 3.1.0 \(PYSEC-2026-1\).*FIX: lock jinja2 3.1.6"
    ):
        audited_count(LOCKED, [told("colorama", jinja2=[WEAK])])
    with pytest.raises(PrevenanceError, match="FIX: replace jinja2: no version mends it yet"):
        audited_count(LOCKED, [told(jinja2=[WEAK | {"fix_versions": []}])])


@pytest.mark.parametrize("answer", ["", "[]", "Traceback", '{"dependencies": [{"name": "x"}]}', '{"dependencies": []}'])
def test_no_answer_is_4_and_never_a_pass(answer: str) -> None:
    with pytest.raises(PrevenanceError, match="E405"):
        audited_count(LOCKED, [answer])
    with pytest.raises(PrevenanceError, match="E405.*did not answer for any library"):
        audited_count(LOCKED, [told(*VERSIONS)])


@pytest.mark.parametrize(("printed", "status"), [("", 4), (told(), 6)])
def test_the_command_ends_with_the_code_of_the_gate(
    printed: str, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(advisories.subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, printed, "ConnectionError"))
    with pytest.raises(SystemExit) as ended:
        audit.main()
    assert ended.value.code == status
    assert capsys.readouterr().err.startswith("ERROR E405" if status == 4 else "ERROR E604")


def test_the_lock_file_is_asked_about_whole_other_systems_libraries_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text = LOCK.read_text(encoding="utf-8")
    locked = locked_pins(text)
    assert len(locked) == sum("==" in line.partition(";")[0] and line[:1].isalnum() for line in text.splitlines())
    assert "colorama" in {name for name, _ in locked}
    lists: list[str] = []
    monkeypatch.setattr(advisories, "_answer", lambda listed: lists.append(listed) or listed)
    advisories.advisory_answers(locked)
    assert sorted(line for one in lists for line in one.split()) == sorted(f"{name}=={version}" for name, version in locked)
    assert all(len(names) == len(set(names)) for names in ([line.partition("==")[0] for line in one.split()] for one in lists))
