"""The watch in whole nights: what it tells stands on the page, in the manifest and the status file; what it refuses keeps the list before."""

from __future__ import annotations

from pathlib import Path

import once
import pytest
from test_night import LATER, latest, manifest, published, run, status

pytestmark = pytest.mark.long


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return once.lived_copy(once.RULED, tmp_path / "out")


def test_a_feed_that_dried_up_is_told_and_where_asked_refused(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = published(out)
    assert run("score", f"out={out}", "target=churn", LATER, "watch.block=true") == 4
    line = capsys.readouterr().err
    assert line.startswith("ERROR E406 table=")
    assert "usual=" in line
    assert published(out) == before
    assert run("score", f"out={out}", "target=churn", LATER, line.rpartition("or set ")[2].partition(" if")[0], "language=de") == 0
    told = manifest(latest(out))
    assert told["gates"]["dried.usage"] == "warn"
    assert any("are usual. What does not arrive" in one for one in told["messages"])
    assert "Was nicht ankommt, sieht aus wie Kunden, die schweigen" in (latest(out) / "list.html").read_text()
    assert sum(told["watch"]["segments"].values()) > 50
    assert any("are usual" in one for one in status(out)["targets"]["churn"]["messages"])
