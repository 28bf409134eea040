"""What the tests compose once is what every command composes."""

from __future__ import annotations

from pathlib import Path

import composed
import pytest
from hydra.core.plugins import Plugins

from pipelines.start import compose
from prevenance.runs.commands import PRIVATE
from prevenance.runs.settings.schema import Settings


@pytest.mark.long
def test_what_a_run_of_the_tests_composes_once_is_what_would_be_composed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Plugins.instance().register(compose.PrivateConf)
    conf = tmp_path / "conf" / "model"
    conf.mkdir(parents=True)
    monkeypatch.setenv(PRIVATE, str(conf.parent))

    def both(*overrides: str) -> Settings:
        found = compose.settings_of("train", list(overrides))
        assert found == composed.WHOLE("train", list(overrides))
        return found

    first = both(f"out={tmp_path / 'a'}", "target=churn", "seed=3")
    first.overrides.append("changed by who asked")
    first.validation.cutoffs += 1
    both(f"out={tmp_path / 'b'}", "target=churn", "seed=3")
    both(f"out={tmp_path / 'b'}", f"data={tmp_path}", "target=churn", "seed=3")
    for day in ("2026-10-01", "2026-10-02", "soon"):
        both(f"out={tmp_path / 'b'}", f"as_of={day}", "target=churn", "seed=3")
    both("out=here and, there", "target=churn", "seed=3")
    (conf / "auto.yaml").write_text("kind: auto\ntrials: 61\n", encoding="utf-8")
    assert both(f"out={tmp_path / 'b'}", "target=churn", "seed=3").model.trials == 61
    (conf.parent / "source").mkdir()
    own, said = conf.parent / "source" / "own.yaml", "name: own\nfiles: {a: a.csv}\ntargets: {tickets: {}}\n"
    for more in ("static: true\n", "timezone: UTC\ndelay_days: {tickets: 2}\n", "files: {tickets: {sqlite: a.db}}\n"):
        own.write_text(said.replace("files: {a: a.csv}\n", "") + more, encoding="utf-8")
        both("source=own", "target=tickets", f"out={tmp_path / 'b'}")
        both("source=own", "target=tickets", "source.timezone=UTC", f"out={tmp_path / 'b'}")
