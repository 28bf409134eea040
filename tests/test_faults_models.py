"""A model cannot harm: what is not as it was registered is refused with 5, unread; trees are parsed by another process first."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import once
import pandas as pd
import pytest
from amount import some
from test_models import fitted, world
from test_tracking import log, model

from pipelines import replay, score, train
from pipelines.start.run import _guarded
from prevenance.base import keys
from prevenance.base.errors import PrevenanceError
from prevenance.models import bundle, shelf, trees
from prevenance.models.encode import Encoder
from prevenance.track import tracking

pytestmark = [pytest.mark.long, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
TINY = [one for one in once.RULED[0][1:] if not one.startswith("as_of=")]
BODIES = {"train": train.body, "score": score.body, "replay": replay.body}


def run(name: str, *arguments: str) -> int:
    return _guarded(name, BODIES[name], list(arguments))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """An output folder that has trained the rule and published a list; no key was set."""
    return once.lived_copy(once.RULED, tmp_path / "out")


def champion(out: Path) -> Path:
    return (out / "models" / "churn" / "champion").resolve()


def newest(out: Path) -> dict[str, bytes]:
    folder = (out / "lists" / "churn" / "latest").resolve()
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sealed(folder: Path) -> str:
    """Make the manifest of a folder fit its files again, as one who may write there would; return the digest to register."""
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in bundle.FILES if (folder / name).is_file()}
    manifest = (json.dumps({"files": sums, "format": bundle.FORMAT}, sort_keys=True, separators=(",", ":")) + "\n").encode()
    (folder / "manifest.json").write_bytes(manifest)
    return hashlib.sha256(manifest).hexdigest()


BREAK = {
    "truncated": lambda text: text[: len(text) // 2],
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "edited digit": lambda text: text.replace(b"1", b"2", 1),
    "empty": lambda text: b"",
}


@pytest.mark.parametrize("how", BREAK)
@pytest.mark.parametrize("name", ["booster.txt", "model.json", "manifest.json"])
def test_fault_70_a_touched_model_is_refused_unread(name: str, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = bundle.save(fitted("lightgbm", world()), tmp_path)
    before = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(BREAK[how](before))
    assert (tmp_path / name).read_bytes() != before
    monkeypatch.setattr(bundle, "_fitted", lambda *_: pytest.fail("parsed"))
    monkeypatch.setattr(trees, "why_no_trees", lambda *_: pytest.fail("parsed"))
    with pytest.raises(PrevenanceError, match=rf"E502.*{name}: digest differs"):
        bundle.load(tmp_path, digest)


def test_fault_69_70_no_champion_or_a_touched_one_is_5_and_the_list_stays(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, file = newest(out), champion(out) / "model.json"
    file.write_bytes(file.read_bytes()[:-9])
    assert run("score", f"out={out}", "target=churn") == 5
    assert "E502" in capsys.readouterr().err
    assert newest(out) == before
    shutil.rmtree(out / "models")
    (out / "mlflow.db").unlink()
    capsys.readouterr()
    assert run("score", f"out={out}", "target=churn") == 5
    told = capsys.readouterr().err
    assert "E501" in told
    assert f"run make train ARGS='target=churn out={out}'" in told


def test_fault_71_with_a_key_every_model_is_signed_and_none_is_taken_without(
    out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = newest(out)
    monkeypatch.setenv(bundle.KEY, "a key of the nights")
    for name, more in {"score": [], "replay": ["as_of=2026-08-01"]}.items():
        assert run(name, f"out={out}", "target=churn", *more) == 5
        assert "manifest.hmac: cannot be read, the model is not signed" in capsys.readouterr().err
    assert newest(out) == before
    (champion(out) / "model.json").write_bytes(b"")
    assert run("train", f"out={out}", *TINY) == 0, "the FIX says: train again with the key"
    shutil.rmtree(out / "lists")
    assert run("score", f"out={out}", "target=churn") == 0
    signature = champion(out) / bundle.SIGNATURE
    held = signature.read_bytes()
    assert json.loads(newest(out)["manifest.json"])["model"]["key_id"] == keys.key_id(b"a key of the nights")
    capsys.readouterr()
    for content in (held.replace(held[:1], b"0" if held[:1] != b"0" else b"1", 1), b""):
        signature.write_bytes(content)
        assert run("score", f"out={out}", "target=churn") == 5
        assert "signature does not match the key" in capsys.readouterr().err
    signature.write_bytes(held)
    monkeypatch.setenv(bundle.KEY, "another key")
    assert run("score", f"out={out}", "target=churn") == 5
    assert "another key" not in capsys.readouterr().err
    monkeypatch.delenv(bundle.KEY)
    (champion(out) / "manifest.json").unlink()
    assert run("score", f"out={out}", "target=churn") == 5
    assert "manifest.json: cannot be read" in capsys.readouterr().err


def test_fault_71_a_served_model_wants_its_signature_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(bundle.KEY, "served")
    (tmp_path / "out").mkdir()
    log(tmp_path / "out", model())
    mlflow = tracking._mlflow()
    uri = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / 'out' / 'mlflow.db'}")
    try:
        assert mlflow.pyfunc.load_model("models:/tickets@champion") is not None
        monkeypatch.setenv(bundle.KEY, "other")
        with pytest.raises(PrevenanceError, match=r"E502.*signature does not match"):
            mlflow.pyfunc.load_model("models:/tickets@champion")
    finally:
        mlflow.set_tracking_uri(uri)


def test_a_key_may_stand_in_a_file_that_only_its_owner_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "model.key"
    file.write_bytes(b"  from a file\n")
    file.chmod(0o644)
    monkeypatch.setenv(f"{bundle.KEY}_FILE", str(file))
    with pytest.raises(PrevenanceError, match=r"E505.*open to others \(mode 0644\).*FIX: chmod 600"):
        bundle.save(model(), tmp_path / "saved")
    file.chmod(0o600)
    digest = bundle.save(model(), tmp_path / "saved")
    monkeypatch.delenv(f"{bundle.KEY}_FILE")
    monkeypatch.setenv(bundle.KEY, "from a file")
    assert bundle.load(tmp_path / "saved", digest) == model()
    assert bundle.key_id() == keys.key_id(b"from a file")
    monkeypatch.delenv(bundle.KEY)
    monkeypatch.setenv(f"{bundle.KEY}_FILE", str(tmp_path / "nowhere"))
    with pytest.raises(PrevenanceError, match=r"E505.*cannot be read \(FileNotFoundError\)"):
        bundle.load(tmp_path / "saved", digest)


def test_fault_72_the_difference_to_what_the_champion_learned_is_named(tmp_path: Path) -> None:
    encoder = Encoder(("seats", "plan"), {"plan": ("pro",)})
    right = pd.DataFrame({"seats": [1.0], "plan": ["pro"]})
    np.testing.assert_array_equal(encoder.matrix(right), [[1.0, 0.0]])
    assert encoder.matrix(right.assign(seats=pd.Series([None], dtype="str"), plan=np.nan)).shape == (1, 2), "nothing known is no difference"
    with pytest.raises(PrevenanceError, match=r"E504.*1 of the model's 2 inputs are absent: plan"):
        encoder.matrix(right[["seats"]])
    with pytest.raises(PrevenanceError, match=r"E504 column=seats.*learned numbers in seats, and now it holds words"):
        encoder.matrix(right.assign(seats="many"))
    with pytest.raises(PrevenanceError, match=r"E504 column=plan.*learned words in plan, and now it holds numbers"):
        encoder.matrix(right.assign(plan=3.0))
    bundle.save(fitted("logistic", world()), tmp_path)
    plain = json.loads((tmp_path / "model.json").read_bytes())
    for change, told in {
        "format": "written as format 2, this version reads format 1",
        "kind": "its kind 2 is none of this version",
    }.items():
        (tmp_path / "model.json").write_text(json.dumps(plain | {change: 2}), encoding="utf-8")
        with pytest.raises(PrevenanceError, match=f"E502.*{told}"):
            bundle.load(tmp_path, sealed(tmp_path))


def test_fault_72_a_champion_that_wants_other_features_is_5(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = newest(out)
    wanted = json.loads((champion(out) / "model.json").read_bytes())["features"]
    capsys.readouterr()
    assert run("score", f"out={out}", "target=churn", "features.sets=[contacts]") == 5
    told = capsys.readouterr().err
    assert re.search(r"E504 .*the champion wants \d+ features that the tables do not give: ", told)
    assert [name for name in wanted if f" {name}" in told], "they are named"
    assert newest(out) == before


class Marker:
    """What a pickle would run: it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", some([0, 4], 1))
@pytest.mark.parametrize("name", bundle.FILES)
def test_fault_73_a_pickle_offered_as_a_model_is_5_and_is_not_run(
    out: Path, name: str, protocol: int, capsys: pytest.CaptureFixture[str]
) -> None:
    import pickle

    before, marker, folder = newest(out), out.parent / "marker", champion(out)
    content = pickle.dumps(Marker(marker), protocol)
    pickle.loads(content)  # noqa: S301
    assert marker.exists(), "the test would see it"
    marker.rmdir()
    (folder / name).write_bytes(content)
    if name == "model.json":
        assert run("score", f"out={out}", "target=churn") == 5
        assert "digest differs" in capsys.readouterr().err
    digest = sealed(folder)
    shutil.copytree(folder, folder.with_name(digest))
    with closing(sqlite3.connect(out / "mlflow.db", isolation_level=None)) as store:
        store.execute("update model_version_tags set value = ? where key = 'model_digest'", (digest,))
    assert run("score", f"out={out}", "target=churn") == 5
    assert "E502" in capsys.readouterr().err
    assert not marker.exists()
    assert newest(out) == before


def trees_of(text: str) -> str:
    return trees.why_no_trees(text.encode(), 5)


def test_trees_are_parsed_by_another_process_once_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = fitted("lightgbm", world())
    text = held.parameters["trees"]
    assert trees_of(text) == ""
    assert trees.why_no_trees(text.encode(), 4) == "no trees over 4 features"
    for broken in ("tree\nversion=v4\n", text.replace("num_leaves=", "num_leaves=99", 1), text[: len(text) // 2], "\x80\x04", ""):
        assert trees_of(broken)
    monkeypatch.setattr(trees.subprocess, "run", lambda *_, **__: pytest.fail("asked twice"))
    assert trees_of(text) == ""


def test_a_parse_that_breaks_or_does_not_end_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, held = tmp_path / "model", fitted("lightgbm", world(300, seed=3))
    digest = bundle.save(held, folder)
    script = tmp_path / "parse_trees.py"
    monkeypatch.setattr(trees, "__file__", str(tmp_path / "trees.py"))
    for code, told in {
        "import os; os.abort()": r"its parse broke off \(-6\)",
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28,) * 2); x = bytearray(1 << 30)": "no trees over 5 features",
        "while True: pass": "its parse did not end in 1 s",
    }.items():
        script.write_text(code, encoding="utf-8")
        monkeypatch.setattr(trees, "SECONDS", 1)
        with pytest.raises(PrevenanceError, match=f"E502.*booster.txt: {told}"):
            bundle.load(folder, digest)


SECRETS = "sys.exit(7 if 'kanarie' in str(os.environ) else 0)"
WRITES = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
limit(1 << 30, 20)
try:
    os.write(os.open('seen', os.O_WRONLY | os.O_CREAT), b'x')
except OSError:
    sys.exit(0)
sys.exit(7)
"""


@pytest.mark.parametrize("code", [SECRETS, WRITES], ids=["no secret", "writes nothing"])
def test_the_other_process_has_no_secret_and_may_write_nothing(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prevenance.models import parse_trees

    monkeypatch.setenv("CANARY_PASSWORD", "kanarie-7QxZ")
    head = f"import os, signal, sys\nsys.path.insert(0, {str(Path(parse_trees.__file__).parent)!r})\nfrom parse_trees import limit\n"
    (tmp_path / "parse_trees.py").write_text(head + code, encoding="utf-8")
    monkeypatch.setattr(trees, "__file__", str(tmp_path / "trees.py"))
    monkeypatch.chdir(tmp_path)
    assert trees.why_no_trees(code.encode(), 1) == ""


def test_a_text_that_asks_for_more_memory_than_there_may_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    held = fitted("lightgbm", world(300, seed=4)).parameters["trees"]
    monkeypatch.setattr(trees, "MEMORY", 1 << 20)
    assert trees_of(held)


def half(folder: Path, promoted: float) -> str:
    """Keep a model without making it the champion, as a promotion that was broken off leaves it."""
    digest = bundle.save(replace(model(), calibrator=(1.0, promoted)), folder / "saved")
    shelf.keep_model(folder / "out" / "models" / "tickets", digest, folder / "saved")
    return digest


def test_fault_74_after_half_a_promotion_the_champion_before_it_stays(tmp_path: Path) -> None:
    out, models = tmp_path / "out", tmp_path / "out" / "models" / "tickets"
    out.mkdir()
    log(out, model(-1.0))
    held = tracking.tracked_champion(out, "tickets")
    assert held is not None
    new = half(tmp_path, -2.0)
    assert tracking.tracked_champion(out, "tickets") == held, "kept, not registered"
    log(out, model(-2.0), promoted=False)
    assert tracking.tracked_champion(out, "tickets") == held, "registered, without the alias"
    (models / ".tmp-champion-0badcafe").symlink_to(new)
    (models / ".tmp-versions.json-0badcafe").write_text('{"', encoding="utf-8")
    shutil.copytree(models / new, models / f".tmp-{new}-0badcafe")
    (models / f".tmp-{new}-0badcafe" / "model.json").unlink()
    assert tracking.tracked_champion(out, "tickets") == held, "leftovers of a kill"
    (models / shelf.VERSIONS).unlink()
    assert tracking.tracked_champion(out, "tickets") == held, "the store knows the version"
    store = (out / "mlflow.db").rename(tmp_path / "away.db")
    assert tracking.tracked_champion(out, "tickets") == ("unknown", held[1]), "a pointer without versions.json"
    store.rename(out / "mlflow.db")
    with closing(sqlite3.connect(out / "mlflow.db", isolation_level=None)) as opened:
        opened.execute("update registered_model_aliases set version = 2")
    assert tracking.tracked_champion(out, "tickets") == ("2", new), "two champions: the alias decides"
    (models / new).rename(tmp_path / "lost")
    messages: list[str] = []
    found = tracking.tracked_champion(out, "tickets", messages)
    assert found is not None
    assert found[1] == held[1], "an alias without its folder"
    assert "the one before it stays" in messages[0]
    bundle.load(models / found[1], found[1])
    with closing(sqlite3.connect(out / "mlflow.db", isolation_level=None)) as opened:
        opened.execute("delete from registered_model_aliases")
        opened.execute("delete from model_version_tags where value = ?", (held[1],))
    found = tracking.tracked_champion(out, "tickets")
    assert found is not None
    assert found[1] == held[1], "a new store whose first promotion was broken off"
    log(out, model(-2.0))
    assert tracking.tracked_champion(out, "tickets") == ("2", new), "training again mends it"
    assert not list(models.glob(".tmp-*"))
