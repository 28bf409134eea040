"""A company adds a feature, a target, a source, words and a file of its lists from outside, by an installed wheel or by a name in conf."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from amount import amount, whole
from hydra.core.plugins import Plugins

import prevenance as pv
from pipelines.start.compose import PrivateConf, settings_of, targets_of
from prevenance import testing
from prevenance.features.sets import SETS
from prevenance.models.kinds import MODELS
from prevenance.order.policies import POLICIES
from prevenance.publish.folders import WRITERS
from prevenance.runs import commands, plugins
from prevenance.targets import KINDS, words_of
from prevenance.words import catalogue, catalogues, words

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
ACME = ROOT / "tests" / "acme"
FAST = {"model.trials": 2, "validation.replicates": 20, "validation.tests": 3, "validation.cutoffs": 12, "features.lookbacks": [28, 90]}


@pytest.fixture
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let what a test registers be gone after it."""
    for held in (SETS, KINDS, MODELS, WRITERS, plugins.REGISTERED):
        for name in list(held):
            monkeypatch.setitem(held, name, held[name])
    before = [(held, set(held)) for held in (SETS, KINDS, MODELS, WRITERS, plugins.REGISTERED)]
    monkeypatch.setattr(catalogues, "_ADDED", {})
    conf, path = list(commands.PLUGGED_CONF), list(sys.path)
    yield
    for held, names in before:
        for name in set(held) - names:
            del held[name]
    commands.PLUGGED_CONF[:], sys.path[:] = conf, path
    sys.modules.pop("acme_success", None)
    for cached in (words, words_of):
        cached.cache_clear()


def exports(folder: Path) -> Path:
    """Write what Acme exports: 120 accounts, of whom the small ones raise alarms where they raised some before."""
    folder.mkdir(parents=True)
    dice = np.random.default_rng(3)
    ids = [f"A{number:03d}" for number in range(120)]
    size = dice.choice(["small", "large"], 120)
    pd.DataFrame({"account": ids, "since": "2023-01-05", "label": [f"Firma <b>{one}</b>" for one in ids], "size": size}).to_csv(
        folder / "accounts.csv", index=False
    )
    rows = []
    for place, one in enumerate(ids):
        alarming = dice.beta(0.4, 1.6) * (1.5 if size[place] == "small" else 1.0)
        for day in pd.date_range("2024-01-01", "2025-12-31", freq="D")[dice.random(731) < 0.05]:
            rows.append((one, f"{day:%Y-%m-%d} 10:00:00", f"T{len(rows)}", "urgent" if dice.random() < alarming else "normal"))
    pd.DataFrame(rows, columns=["account", "opened", "number", "urgency"]).to_csv(folder / "cases.csv", index=False)
    return folder


SAID = {"en": "Customers who may raise an alarm", "fr": "Clients qui pourraient donner l", "de": "Kunden, die Alarm schlagen könnten"}


@pytest.mark.usefixtures("nothing_registered")
def test_a_plug_in_that_conf_names_is_trained_scored_and_read_in_three_languages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ACME))
    # its own features alone: a rule by another one would give other reasons
    asked = {"plugins": ["acme_success"], **FAST, "model": "logistic", "features.sets": ["acme"]}
    project = pv.open(tmp_path / "out", source="acme", data=exports(tmp_path / "exports"), settings=asked)
    training = project.train("acme_alarm")
    assert "acme_alarms_28d" in training.frame
    assert training.report["chosen"]["model"] in ("logistic", "rule")
    assert training.report["models"]["rule"]["roc_auc"]["value"] > 0.6
    for language, title in list(SAID.items())[-amount(2, 3) :]:
        ranked = project.score("acme_alarm", language=language)
        page = (ranked.path / "list.html").read_text(encoding="utf-8")
        assert title in page.replace("&#39;", "'").replace("&#x27;", "'")
        assert "Firma <b>" not in page
        assert (ranked.path / "telephone.txt").read_text().startswith("acme_alarm;A")
        assert ranked.manifest["files"]["telephone.txt"]
        assert ranked.frame["action"].iloc[0] == words(language)("Ring them up before the alarm does")
        begins = words(language).translated("Alarms in {days} days: {value:.0f}").split()[0]
        assert ranked.frame["reasons"].str.contains(begins).any()
    assert not whole() or project.replay("acme_alarm", as_of="2025-06-01").summary["verdict"]


@pytest.mark.sweep
@pytest.mark.usefixtures("nothing_registered")
def test_the_laws_hold_for_it_and_its_words_are_whole(monkeypatch):
    monkeypatch.syspath_prepend(str(ACME))
    import acme_success

    testing.check_plugin(acme_success.plugin, companies=8, worlds=urgent_worlds())


def urgent_worlds() -> list[dict[str, pd.DataFrame]]:
    """Return random companies in which "urgent" is written as Acme writes it, and often enough to learn from."""
    return [
        {name: frame.assign(priority="urgent") if name == "tickets" else frame for name, frame in testing.world(seed, customers=6).items()}
        for seed in range(6)
    ]


@pytest.mark.usefixtures("nothing_registered")
def test_a_word_without_its_translation_is_named(tmp_path):
    (tmp_path / "fr.toml").write_text('[x]\n"Bells: {value}" = "Cloches : {valeur}"\n', encoding="utf-8")
    feature = pv.Feature("bells_28d", table="tickets", value=pv.Count(), days=28, phrase="Bells: {value}")
    brought = pv.Plugin("bells", features={"bells": lambda lookbacks: (feature,)}, words=tmp_path)
    with pytest.raises(AssertionError, match='fr: other placeholders than "Bells'):
        testing.check_words(brought)
    with pytest.raises(AssertionError, match='no translation of "Bells: {value}"'):
        testing.check_words(pv.Plugin("bells", features={"bells": lambda lookbacks: (feature,)}))


CLAIMS = {
    "a set that is there": pv.Plugin("x", features={"tickets": lambda lookbacks: ()}),
    "a target that is there": pv.Plugin("x", targets={"ticket": lambda: None}),
    "a model that is there": pv.Plugin("x", models={"rule": "json"}),
    "a file of ours": pv.Plugin("x", writers={"list.csv": lambda rows, manifest: b""}),
    "an order that is there": pv.Plugin("x", policies={"chance": lambda rows: rows["score"]}),
    "a file elsewhere": pv.Plugin("x", writers={"../list.txt": lambda rows, manifest: b""}),
    "a column that is there": pv.Plugin(
        "x",
        features={"y": lambda lookbacks: (pv.Feature("tickets_28d", table="tickets", value=pv.Count(), days=28, phrase="{value}"),)},
    ),
    "a folder that is not there": pv.Plugin("x", conf=Path("/no/such")),
}


@pytest.mark.parametrize("claim", sorted(CLAIMS))
@pytest.mark.usefixtures("nothing_registered")
def test_what_is_taken_is_refused_and_nothing_of_it_stays(claim):
    before = [dict(held) for held in (SETS, KINDS, MODELS, WRITERS, POLICIES)]
    with pytest.raises(pv.PrevenanceError, match=r'E212 .*plug-in "x"'):
        plugins.register(CLAIMS[claim])
    assert [dict(held) for held in (SETS, KINDS, MODELS, WRITERS, POLICIES)] == before
    assert "x" not in plugins.REGISTERED


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (None, "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("plugin = 3", "holds no plug-in"),
        ("raise SystemError('\\nERROR E000 forged')", "SystemError"),
    ],
)
@pytest.mark.usefixtures("nothing_registered")
def test_a_module_that_is_none_is_one_line(written, said, tmp_path, monkeypatch, capsys):
    from pipelines.start.run import _guarded

    if written is not None:
        (tmp_path / "own_plugin_x.py").write_text(written, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
    assert _guarded("train", lambda given, steps: None, ["plugins=[own_plugin_x]", f"out={tmp_path / 'out'}"]) == 2
    line = capsys.readouterr().err
    assert line.startswith("ERROR E212")
    assert line.count("\n") == 1
    assert said in line
    sys.modules.pop("own_plugin_x", None)


@pytest.mark.usefixtures("nothing_registered")
def test_a_module_beside_the_private_folder_needs_no_path(tmp_path, monkeypatch):
    (tmp_path / "beside_x.py").write_text("import prevenance as pv\nplugin = pv.Plugin('beside')\n", encoding="utf-8")
    monkeypatch.setenv(commands.PRIVATE, str(tmp_path))
    assert settings_of("train", ["plugins=[beside_x]"]).plugins == ["beside_x"]
    assert "beside" in plugins.REGISTERED
    sys.modules.pop("beside_x", None)


@pytest.mark.usefixtures("nothing_registered")
def test_a_source_may_name_its_plug_in_and_a_folder_without_one_stays_off_the_path(tmp_path, monkeypatch):
    Plugins.instance().register(PrivateConf)
    (tmp_path / "source" / "own").mkdir(parents=True)
    (tmp_path / "source" / "plain.yaml").write_text("name: plain\ntimezone: UTC\ntargets: {tickets: {}}\n", encoding="utf-8")
    (tmp_path / "source" / "own.yaml").write_text(
        "name: own\ntimezone: UTC\nplugins: [named_x]\ntargets: {alarm_x: {}}\n", encoding="utf-8"
    )
    (tmp_path / "named_x.py").write_text(
        "from pathlib import Path\nimport prevenance as pv\n"
        "def alarm(*, horizon_days=9, name='alarm_x'): return pv.Target(name, ('tickets',), 'select 1', 'select 1', horizon_days)\n"
        "plugin = pv.Plugin('named', targets={'alarm_x': alarm}, conf=Path(__file__).parent / 'plugged')\n",
        encoding="utf-8",
    )
    (tmp_path / "plugged" / "target").mkdir(parents=True)
    (tmp_path / "plugged" / "target" / "alarm_x.yaml").write_text("name: alarm_x\nkind: alarm_x\nhorizon_days: 9\n", encoding="utf-8")
    monkeypatch.setenv(commands.PRIVATE, str(tmp_path))
    assert settings_of("train", ["source=plain", "target=tickets"]).source.name == "plain"
    assert str(tmp_path) not in sys.path
    given = settings_of("train", ["source=own"])
    assert "named" in plugins.REGISTERED
    assert [one.target.kind for one in targets_of("train", given)] == ["alarm_x"]
    for wrong in ("plugins=named_x", "plugins={a: named_x}", "plugins=[[named_x]]", "plugins=[3]", "plugins=null"):
        with pytest.raises(pv.PrevenanceError, match="E20"):
            settings_of("train", [wrong])
    sys.modules.pop("named_x", None)


@pytest.mark.usefixtures("nothing_registered")
def test_a_writer_that_fails_keeps_the_old_list():
    from prevenance.publish.folders import plugged_files

    def broken(rows, manifest):
        raise KeyError("rank")

    plugins.register(pv.Plugin("w", writers={"x.txt": broken}))
    with pytest.raises(pv.PrevenanceError, match=r"E603 file=x.txt .*KeyError"):
        plugged_files(pd.DataFrame({"rank": [1]}), {})


def test_our_translation_of_our_text_stays(monkeypatch):
    monkeypatch.setattr(catalogues, "_ADDED", {})
    text, told = next(iter(catalogue("fr").items()))
    catalogues.add_texts("fr", {"x": {text: "autre chose", "Only theirs": "Rien qu'à eux"}})
    assert catalogue("fr")[text] == told
    assert catalogue("fr")["Only theirs"] == "Rien qu'à eux"


@pytest.mark.sweep
def test_a_wheel_beside_ours_in_a_fresh_environment(tmp_path):
    """Both wheels in a new environment, which has the libraries of this one and nothing of this checkout."""
    fresh, wheels = tmp_path / "fresh", tmp_path / "wheels"
    for project in (ROOT, ACME):
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)], cwd=project, check=True, capture_output=True
        )
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(fresh)], check=True)
    python = fresh / "bin" / "python"
    place = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    install = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--no-index", "--target", str(place)]
    subprocess.run([*install, *map(str, sorted(wheels.glob("*.whl")))], check=True, capture_output=True)
    (place / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "COVERAGE_PROCESS_START")}
    settings = [f"{key}={str(value).replace(' ', '')}" for key, value in FAST.items()]

    def run(*words: str) -> str:
        done = subprocess.run(
            [python, "-c", "from prevenance.cli import main; main()", *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return done.stdout

    where = subprocess.run(
        [python, "-c", "import prevenance, acme_success; print(prevenance.__file__, acme_success.__file__)"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert where.count(str(fresh)) == 2
    data = exports(tmp_path / "exports")
    run("train", "source=acme", f"data={data}", f"out={tmp_path / 'out'}", "target=acme_alarm", "model=logistic", *settings)
    for language, title in SAID.items():
        run("score", f"out={tmp_path / 'out'}", f"language={language}")
        latest = tmp_path / "out" / "lists" / "acme_alarm" / "latest"
        assert title in (latest / "list.html").read_text(encoding="utf-8").replace("&#39;", "'")
        assert json.loads((latest / "manifest.json").read_text())["counts"]["listed"] == 120
    laws = (
        "import acme_success as a; from prevenance import testing as t; made = [t.world(s, customers=6) for s in range(6)]; "
        "t.check_plugin(a.plugin, worlds=[one | {'tickets': one['tickets'].assign(priority='urgent')} for one in made])"
    )
    subprocess.run([python, "-c", laws], cwd=tmp_path, env=environment, check=True)
