"""Nothing runs from a setting, nothing is read outside the data folder, no secret is taken, told or kept."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines import train
from pipelines.start.refusals import refuse_secrets
from pipelines.start.run import _guarded, main
from prevenance.base import disk
from prevenance.base.errors import PrevenanceError
from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake

CANARY = "kanarie-7QxZ"


def files_with(folder: Path, word: str) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


SECRETS = [
    f"password={CANARY}",
    f"+source.password={CANARY}",
    f"+source.database.db_password='{CANARY}'",
    f"+source.api_key={CANARY}",
    f"+source.apiKey={CANARY}",
    f"++token={CANARY}",
    f"+source.dsn=host=db password={CANARY}",
    f"+outreach.holdout.key={CANARY}",
    f"data=postgres://reader:{CANARY}@db.example/crm",
    f"data=postgresql://reader:a/{CANARY}@db.example/crm?sslmode=require",
    f"+source.database='host=db user=reader password={CANARY}'",
    f"+source.database={{host: db, password: {CANARY}}}",
    f"postgres://reader:{CANARY}@db.example/crm",
    f"postgres://reader:{CANARY}@db.example/crm?a=b",
]


@pytest.mark.parametrize("flags", [[], ["--cfg", "job"], ["--multirun"]], ids=["plain", "cfg", "multirun"])
@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_fault_77_a_secret_as_a_setting_is_refused_and_never_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], secret: str, flags: list[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    assert _guarded("train", train.body, [f"out={out}", secret, *flags]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("ERROR E211 ")
    assert "environment variable" in said.err
    assert CANARY not in said.err + said.out
    assert files_with(tmp_path, CANARY) == []


def test_fault_77_a_secret_in_a_file_of_conf_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREVENANCE_CONF", raising=False)
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "acme.yaml").write_text(f"name: acme\ndatabase: {{password: {CANARY}}}\n", encoding="utf-8")
    monkeypatch.setenv("PREVENANCE_CONF", str(tmp_path))
    assert _guarded("train", train.body, [f"out={tmp_path / 'out'}", "source=acme", "data=."]) == 2
    said = capsys.readouterr().err
    assert said.startswith("ERROR E211 key=source.database.password")
    assert CANARY not in said


@pytest.mark.parametrize(
    "setting",
    [
        "outreach.holdout.key_env=MY_KEY",
        "password_file=/run/secrets/db",
        "source=demo",
        "out=a:b@c",
        "data=/home/me/crm@work",
        "password=",
        "as_of=2026-01-01T00:00:00+02:00",
    ],
)
def test_what_only_says_where_a_secret_is_may_be_set(setting: str) -> None:
    refuse_secrets([setting])
    refuse_secrets(["customer=token=abc"], letters=("customer",))


@pytest.mark.parametrize(
    "setting",
    [
        "+source._target_=os.system",
        "+a.b._target_=builtins.eval",
        "target={_target_: builtins.print}",
        "model={_target_:os.system}",
        "+source.files={x: {_target_: os.system}}",
        "++outreach._partial_=true",
    ],
)
def test_fault_75_code_in_a_setting_is_refused_and_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str], setting: str) -> None:
    assert _guarded("train", train.body, [f"out={tmp_path / 'out'}", setting]) == 2
    assert capsys.readouterr().err.startswith("ERROR E204")


@pytest.mark.parametrize("place", ["source", "outreach", "playbook"])
def test_fault_75_code_in_a_file_of_conf_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    mark = tmp_path / "ran"
    (tmp_path / place).mkdir()
    (tmp_path / place / "evil.yaml").write_text(f"deep: [{{_target_: pathlib.Path.touch, _args_: ['{mark}']}}]\n", encoding="utf-8")
    monkeypatch.setenv("PREVENANCE_CONF", str(tmp_path))
    assert _guarded("train", train.body, [f"out={tmp_path / 'out'}", f"{place}=evil"]) == 2
    assert "E204" in capsys.readouterr().err
    assert not mark.exists()


CUSTOMERS = "select id as customer_id, since as event_at from people"


@pytest.mark.parametrize("path", ["../people.csv", "/etc/passwd", "sub/../../people.csv", "link.csv", "folder/people.csv"])
def test_fault_76_a_path_that_leaves_the_data_folder_is_refused(tmp_path: Path, path: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "people.csv").write_text("id,since\na,2024-01-01\n", encoding="utf-8")
    (data / "link.csv").symlink_to(tmp_path / "people.csv")
    (data / "folder").symlink_to(tmp_path)
    with pytest.raises(PrevenanceError, match="E209") as problem:
        intake(new_engine(), Source("mine", {"customers": CUSTOMERS}, {"people": path}, timezone="UTC"), data, {})
    assert problem.value.exit_status == 2


@pytest.mark.parametrize("name", ['pe"ople', "peo;ple", "x'); drop table y; --", "a b", "select", "é"])
def test_fault_76_hostile_names_of_tables_and_columns_are_names_and_nothing_else(tmp_path: Path, name: str) -> None:
    header = name.replace('"', '""')
    (tmp_path / "people.csv").write_text(f'id,since,"{header}"\na,2024-01-01,x\n', encoding="utf-8")
    select = f'select id as customer_id, since as event_at, "{header}" as segment from "{header}"'
    found = intake(new_engine(), Source("mine", {"customers": select}, {name: "people.csv"}, timezone="UTC"), tmp_path, {})
    assert found.con.execute("select customer_id, segment from canonical.customers").fetchall() == [("a", "x")]


def test_fault_76_a_select_cannot_reach_other_files(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,since\na,2024-01-01\n", encoding="utf-8")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "secret.csv").write_text("id,since\nb,2024-01-01\n", encoding="utf-8")
    for reach in (
        f"'{tmp_path}/other/secret.csv'",
        f"read_csv('{tmp_path}/other/secret.csv')",
        f"read_text('{tmp_path}/other/secret.csv')",
    ):
        source = Source(
            "mine", {"customers": f"select id as customer_id, since as event_at from {reach}"}, {"people": "people.csv"}, timezone="UTC"
        )
        with pytest.raises(PrevenanceError, match="E209 table=customers — customers.sql opens a file by itself") as problem:
            intake(new_engine(), source, tmp_path, {})
        assert problem.value.exit_status == 2


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    disk.write(tmp_path / "a" / "b.txt", b"x")
    disk.write_folder(tmp_path / "c", {"d/e.txt": b"x"})
    for path in tmp_path.rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_what_libraries_write_is_for_its_owner_only_too(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with pytest.raises(SystemExit, match="0"):
            main("score", lambda given, steps: (tmp_path / "made").mkdir() or (tmp_path / "made" / "x").touch(), [f"out={tmp_path}"])
    finally:
        os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "made" / "x").stat().st_mode & 0o777 == 0o600
