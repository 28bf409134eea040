"""A shadow: better, worse or too early by criteria that stood before, and nothing of the champion is touched."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import once
import pandas as pd
import pytest
from test_night import latest, published, run, status

from pipelines import erase
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.proof.watch.pilot import MET, NOT_MET, TOO_EARLY, Criteria, pilot_verdict, within_pilot

ASKED = Criteria(weeks=8, lists=2, hits=1)
BETTER, WORSE = {"value": 0.02, "low": 0.01, "high": 0.03}, {"value": -0.02, "low": -0.03, "high": -0.01}


def pairs(champion: list[float], shadow: list[float]) -> pd.DataFrame:
    at = pd.date_range("2026-01-05", periods=len(champion), freq="7D")
    return pd.DataFrame({"cutoff": at, "listed": 20, "same": 15, "hits_champion": champion, "hits_shadow": shadow})


@pytest.mark.parametrize(
    ("champion", "shadow", "gain", "kind"),
    [
        ([4, 5], [6, 6], BETTER, MET),
        ([4, 5], [4, 5], BETTER, NOT_MET),
        ([6, 6], [4, 5], WORSE, NOT_MET),
        ([4, 5], [9, 9], {"value": 0.02, "low": -0.01, "high": 0.05}, NOT_MET),
        ([4, np.nan], [9, np.nan], BETTER, TOO_EARLY),
        ([], [], {"value": None, "low": None, "high": None}, TOO_EARLY),
    ],
)
def test_the_verdict_follows_the_criteria(champion: list[float], shadow: list[float], gain: dict[str, float | None], kind: str) -> None:
    found = pilot_verdict(pairs(champion, shadow), gain, ASKED)
    assert (found.kind, found.listed, found.same) == (kind, 20 * len(champion), 15 * len(champion))


def test_lists_after_the_weeks_of_the_pilot_change_no_verdict() -> None:
    assert within_pilot(pairs([], []).astype({"cutoff": object}), ASKED).empty
    assert len(within_pilot(pairs([1.0] * 20, [1.0] * 20), ASKED)) == 9
    with pytest.raises(PrevenanceError, match="E202 key=pilot.weeks.*write pilot.weeks=8"):
        settings_of("score", ["pilot.weeks=9"])


@pytest.mark.long
def test_a_shadow_trains_and_scores_and_the_champion_stays_byte_for_byte(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = once.lived_copy(once.RULED, tmp_path / "out")
    words = [one for one in once.RULED[0][1:] if not one.startswith("model=")]

    def bytes_of() -> dict[str, bytes]:
        files = (path for path in out.rglob("*") if path.is_file() and not path.is_relative_to(out / "shadow"))
        return {str(path.relative_to(out)): path.read_bytes() for path in files}

    before = bytes_of()
    assert run("train", *words, "model=logistic", "shadow=true", f"out={out}") == 0, capsys.readouterr().err
    assert run("score", "target=churn", "shadow=true", f"out={out}") == 0, capsys.readouterr().err
    told = status(out / "shadow")["targets"]["churn"]["pilot"]
    assert run("score", "target=churn", "shadow=true", f"out={out}", "as_of=2020-01-01") != 0, "what is refused there is told there"
    assert bytes_of() == before
    assert status(out / "shadow")["outcome"] == "refused"
    assert published(out / "shadow")
    assert told["verdict"] == TOO_EARLY
    assert json.loads(Path(told["page"]).with_name("pilot.json").read_text())["lists"] == 1, (
        "the champion's list of that night stands beside it"
    )
    assert "too early" in Path(told["page"]).read_text()
    assert latest(out).parent != latest(out / "shadow").parent


def listed_in(out: Path) -> list[str]:
    """Return the customers of the newest list."""
    return pd.read_csv(latest(out) / "list.csv", dtype="str")["customer_id"].tolist()


@pytest.mark.long
def test_who_is_erased_leaves_the_shadow_too(tmp_path: Path) -> None:
    out = once.lived_copy(once.RULED, tmp_path / "out")
    shutil.copytree(out, tmp_path / "copy", symlinks=True)
    shutil.move(tmp_path / "copy", out / "shadow")
    customer = listed_in(out)[0]
    assert _guarded("erase", erase.body, [f"out={out}", f"customer={customer}"]) == 0
    for folder in (out, out / "shadow"):
        assert customer not in listed_in(folder)
        assert (folder / "erased.json").is_file()
    assert len(list((out / "shadow" / "erasures").iterdir())) == 1
