"""The command ``prevenance``: its help in words, its completion in a real shell, init, and a line for every odd setting."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from amount import some

from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance import __version__, cli
from prevenance.base.errors import PrevenanceError
from prevenance.cli.completion import completion_script
from prevenance.cli.starter import init_command
from prevenance.runs.command_words import command_words, make_lines, plain_lines
from prevenance.runs.help import command_text, overview_text
from prevenance.runs.settings.keys import setting_keys

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
PIPELINES = {path.stem for path in (ROOT / "pipelines").glob("*.py")} - {"__init__", "sbom", "audit"}


def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["prevenance", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    found = capsys.readouterr()
    return int(ended.value.code or 0), found.out, found.err


def test_every_command_has_a_line_in_one_place():
    assert {one.module for one in command_words().values()} == PIPELINES
    makefile = dict(re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for name, line in {**{name: one.line for name, one in command_words().items()}, **make_lines()}.items():
        assert makefile[name].partition(": ARGS")[0].startswith(line), name
    shown = " ".join(overview_text().split())
    for name, line in {**{name: one.line for name, one in command_words().items()}, **plain_lines()}.items():
        assert f"{name} {line}" in shown


@pytest.mark.parametrize("name", sorted(command_words()))
def test_the_help_of_a_command_is_true(name):
    words = command_words()[name]
    text = command_text(words)
    assert {"Example:", "Main settings:", "Exit codes:"} <= set(re.findall(r"^(?:Example:|Main settings:|Exit codes:)", text, re.MULTILINE))
    known = {*setting_keys(), "source", "target", "model"}
    own = {"features", "label", "id", "cutoff", "fail", "permitted", "from", "to"}
    assert {key for key, _, _ in words.settings} <= known | own
    command, *settings = words.example.split()
    assert command == name
    if name not in ("leakage", "backfill"):
        settings_of(words.module, settings)


def test_version_and_help_are_light_and_quick():
    code = "import sys; sys.argv = ['prevenance', *sys.argv[1:]]\nfrom prevenance.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print([one for one in ('hydra', 'pandas', 'numpy', 'duckdb', 'sklearn') if one in sys.modules], file=sys.stderr)"
    for words, said in (
        (["--version"], __version__),
        (["--help"], "train"),
        (["train", "--help"], "Main settings"),
        (["completion", "bash"], "_prevenance"),
    ):
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
        assert said in done.stdout
        assert done.stderr.strip() == "[]"


def test_what_is_no_command_is_one_line(monkeypatch, capsys):
    for words, said in (
        (["trian"], 'did you mean "train"'),
        ([], "no command is named"),
        (["target=churn"], "write prevenance train before it"),
    ):
        status, out, err = told(monkeypatch, capsys, *words)
        assert (status, out) == (2, "")
        assert err.startswith("ERROR E20")
        assert err.count("\n") == 1
        assert said in err


ODD = {
    "+foo=1": ("E201", 'no setting "foo"'),
    "++validation.tsts=3": ("E201", 'did you mean "validation.tests"'),
    "+seed=1": ("E202", "write seed=1"),
    "~seed": ("E202", "takes a setting away"),
    "~target.kind": ("E202", "takes a setting away"),
    "seed": ("E202", "write key=value"),
    "=1": ("E202", "names no key"),
    "+=1": ("E202", "names no key"),
    "target=churn,tickets": ("E202", "add --multirun"),
    "target=a,b": ("E203", 'target "a" is unknown'),
    "target.horizon_days=10,20": ("E202", "write target.horizon_days=10"),
    "target=": ("E203", "choose one of"),
    "target=[churn": ("E203", "target is one name"),
    "target=[churn,tickets]": ("E203", "target is one name"),
    "target=../source/demo": ("E203", "choose one of: all, churn"),
    "target=é": ("E203", "choose one of: all, churn"),
    "cible=é": ("E201", 'no setting "cible"'),
    "customer=3": ("E201", "no setting of this command"),
    "seed=x": ("E202", "write seed=7"),
    "seed=${x}": ("E202", 'refers to "x", which is no setting'),
    "allow_rule=maybe": ("E202", "write allow_rule=false"),
    "features.sets=tickets": ("E202", "write features.sets=[tickets]"),
    "features.sets=tickets,contacts": ("E202", "write features.sets=[tickets,contacts]"),
    "demo=x": ("E202", "such as demo.customers=30"),
    "outreach.holdout=x": ("E202", "such as demo.customers=30 or outreach.holdout.share=0.1"),
    "seed='1": ("E202", "close its quotes"),
    "target@x=churn": ("E201", 'did you mean "target"'),
    "clé=3": ("E201", "no setting"),
    "a b=3": ("E201", "no setting"),
    "zzz.yyy=3": ("E201", "--help-all"),
    "--foo": ("E202", 'no flag "--foo"'),
    "--cfg": ("E202", "wants a value"),
    "--cfg=jobs": ("E202", "write --cfg job"),
    "--config-dir": ("E202", "wants a value"),
}


@pytest.mark.parametrize("flags", [[], ["--cfg", "job"]], ids=["plain", "cfg"])
@pytest.mark.parametrize("word", list(ODD))
def test_an_odd_setting_is_one_line_without_the_librarys_words(word, flags, tmp_path, capsys):
    code, said = ODD[word]
    assert _guarded("train", lambda given, steps: {}, [f"out={tmp_path / 'out'}", *flags, word]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    line = told.err
    assert line.startswith(f"ERROR {code} ")
    assert line.count("\n") == 1
    assert said in line
    assert not re.search(r"hydra|Lexer|antlr|defaults list|usage:", line, re.IGNORECASE)


@pytest.mark.parametrize("words", some([["-m", "target=churn,nope"], ["target=churn,nope", "--multirun"], ["--multirun", "seed=1,x"]], 1))
def test_a_wrong_value_among_several_is_one_line(words, tmp_path, capsys):
    ran = []
    status = _guarded("train", lambda given, steps: ran.append(given.target.name), [f"out={tmp_path / 'out'}", *words])
    line = capsys.readouterr().err
    assert status == 2
    assert line.startswith("ERROR E20")
    assert line.count("\n") == 1


@pytest.mark.long
def test_several_values_are_a_run_each_wherever_the_flag_stands(tmp_path):
    for words in (["--multirun", "target=churn,tickets"], ["target=churn,tickets", "-m"]):
        ran: list[str] = []
        assert _guarded("train", lambda given, steps, ran=ran: ran.append(given.target.name), [f"out={tmp_path / 'out'}", *words]) == 0
        assert ran == ["churn", "tickets"]


def test_owners_and_targets_that_only_the_user_knows_may_be_named():
    found = settings_of("score", ["outreach.hours.default=18", "outreach.hours.Dana=12", "outreach.shares.churn=0.2"])
    assert found.outreach.hours == {"default": 18.0, "Dana": 12.0}
    assert found.outreach.shares == {"churn": 0.2}
    assert settings_of(
        "score", ["outreach.hours.Jürgen=7.5", "outreach.hours.Anna Müller=18", "outreach.hours.Ann Lee=3"]
    ).outreach.hours == {
        "Ann Lee": 3.0,
        "Jürgen": 7.5,
        "Anna Müller": 18.0,
    }
    with pytest.raises(PrevenanceError, match="E20"):
        settings_of("score", ["outreach.hours.Jürgen=many"])
    with pytest.raises(PrevenanceError, match="E20"):
        settings_of("score", ["outreach.hours.default=many"])


def test_a_text_is_taken_to_the_letter(tmp_path, capsys):
    texts = {
        "privacy.controller": "Café Müller, Paris (SAS)",
        "privacy.purpose": "a, b: c",
        "source.decimal": ",",
        "source.currency": "it's",
        "source.language": "fr",
    }
    seen = []
    words = [f"{key}={value}" for key, value in texts.items()]
    assert _guarded("train", lambda given, steps: seen.append(given), [f"out={tmp_path / 'out'}", *words]) == 0, capsys.readouterr().err
    assert [getattr(getattr(seen[0], key.partition(".")[0]), key.partition(".")[2]) for key in texts] == list(texts.values())
    assert settings_of("score", ["privacy.key_file=null", "validation.start=''"]).privacy.key_file is None
    assert settings_of("train", ["target.horizon_days=60"]).target.horizon_days == 60, "of every target, where none is chosen"


# Completion, in a real shell.


def completed(line: str, folder: Path, breaks: str = " =") -> list[str]:
    """Return what bash offers for a line whose last word is being typed; ``breaks`` as bash takes words apart."""
    script = folder / "prevenance.bash"
    script.write_text(completion_script("bash"), encoding="utf-8")
    words = line.split(" ")
    parts = [piece for word in words for piece in (re.split("(=)", word) if "=" in breaks else [word]) if piece or word == ""]
    if "=" in breaks and line.endswith("="):
        parts = [one for one in parts if one != ""]
    quoted = " ".join(f"'{one}'" for one in parts)
    code = f"source {script}; COMP_WORDBREAKS='{breaks}'; COMP_WORDS=({quoted}); COMP_CWORD={len(parts) - 1}; _prevenance; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run(["bash", "--norc", "-c", code], capture_output=True, text=True, cwd=folder, check=True)
    return [one for one in done.stdout.split("\n") if one]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_bash_completes_commands_settings_choices_and_paths(tmp_path):
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "f.csv").touch()
    assert completed("prevenance tr", tmp_path) == ["train"]
    assert {"train", "score", "init", "completion"} <= set(completed("prevenance ", tmp_path))
    assert completed("prevenance train capa", tmp_path) == ["capacity="]
    assert "target.horizon_days=" in completed("prevenance train target.h", tmp_path)
    for breaks in (" =", " "):
        assert completed("prevenance train source=de", tmp_path, breaks)[0].endswith("demo")
        assert {one.rpartition("=")[2] for one in completed("prevenance train target=c", tmp_path, breaks)} == {
            "churn",
            "contraction",
            "cross_sell",
        }
        assert completed("prevenance train data=ex", tmp_path, breaks)[0].rpartition("=")[2] == "exports"
    own = tmp_path / "conf" / "source"
    own.mkdir(parents=True)
    (own / "acme.yaml").touch()
    assert completed("prevenance train --config-dir conf source=ac", tmp_path) == ["acme"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh here")
def test_zsh_reads_its_script(tmp_path):
    script = tmp_path / "_prevenance"
    script.write_text(completion_script("zsh"), encoding="utf-8")
    subprocess.run(["zsh", "-f", "-n", str(script)], check=True)


# init.


def test_init_lists_the_files_that_are_there_and_never_overwrites(tmp_path):
    data = tmp_path / "my exports"
    data.mkdir()
    (data / "accounts.csv").write_text("account_id;signup_date;name;segment\n1;2024-01-01;A;x\n", encoding="utf-8")
    (data / "2024 Tickets.CSV").write_text("id,opened\n", encoding="utf-8")
    (data / "notes.txt").write_text("x", encoding="utf-8")
    said = init_command([str(tmp_path / "conf"), "source=acme", f"data={data}"])
    yaml = (tmp_path / "conf" / "source" / "acme.yaml").read_text(encoding="utf-8")
    assert 'accounts: {"path": "accounts.csv", "delimiter": ";"}' in yaml
    assert "2024 Tickets has a header and no row" in (tmp_path / "conf" / "source" / "acme" / "questions.md").read_text(encoding="utf-8")
    select = (tmp_path / "conf" / "source" / "acme" / "customers.sql").read_text(encoding="utf-8")
    assert "-- accounts has: account_id, signup_date, name, segment" in select
    assert "ADAPT" in said
    before = {path: path.read_bytes() for path in (tmp_path / "conf").rglob("*") if path.is_file()}
    with pytest.raises(PrevenanceError, match="E213 .*source=acme2"):
        init_command([str(tmp_path / "conf"), "source=acme"])
    assert "LEFT" in init_command([str(tmp_path / "conf"), "source=acme2"])
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["conf", "source=../x"], "E209"),
        (["conf", "source=a b"], "E209"),
        (["conf", "source=/etc"], "E209"),
        (["conf", "source="], "E209"),
        (["conf", "source=demo"], "E209"),
        (["conf", "data=/no/such/folder"], "E401"),
        (["conf", "sorce=x"], "E201"),
        (["conf", "more"], "E202"),
        (["--force"], "E202"),
    ],
)
def test_init_refuses_what_could_do_harm(words, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PrevenanceError, match=code):
        init_command(words)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "setting",
    [
        "seed=-1",
        "seed=99999999999999999999",
        "capacity=9e30",
        "target.horizon_days=999999999",
        "outreach.margin=nan",
        "model.trials=99999999999",
        "out=a?b",
        "out=a#b",
        "language=${oc.env:HOME}",
        "source.about=${oc.env:HOME,x}",
        "privacy.purpose=${oc.decode:x}",
    ],
)
def test_what_no_setting_can_be_is_refused_in_one_line(setting: str) -> None:
    from pipelines.start.compose import settings_of

    with pytest.raises(PrevenanceError, match=r"^ERROR E202 .*FIX: ") as refused:
        settings_of("score", ["target=churn", setting])
    assert str(Path.home()) not in str(refused.value)
