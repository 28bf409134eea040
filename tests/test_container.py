"""The container: its recipe is consistent, and its steps, run without a builder, give an image that trains and scores without network or root."""

from __future__ import annotations

import fnmatch
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
RECIPE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
STEPS = [tuple(line.split(" ", 1)) for line in re.sub(r"\\\n", " ", RECIPE).split("\n") if line and not line.startswith("#")]
TINY = ["demo.customers=60", "demo.months=12", "demo.events=5000", "model=rule", "target=churn", "validation.replicates=20"]
TINY += ["features.sets=[tickets,contacts]", "features.lookbacks=[28]"]


def locked(name: str) -> dict[str, set[str]]:
    """Return package==version (and its marker) -> hashes of a lock file."""
    found: dict[str, set[str]] = {}
    current = ""
    for line in (ROOT / name).read_text(encoding="utf-8").split("\n"):
        if start := re.match(r"([a-z0-9_.-]+==\S+)", line):
            current = start[1]
            found.setdefault(current, set())
        found.get(current, set()).update(re.findall(r"--hash=(sha256:[0-9a-f]+)", line))
    return found


def test_what_runs_in_the_container_is_what_is_tested():
    run, tested = locked("requirements-run.lock"), locked("requirements.lock")
    assert len(run) > 50
    for one, hashes in run.items():
        assert hashes
        assert tested[one] == hashes, one
    names = {one.partition("==")[0] for one in run}
    assert {"lightgbm", "duckdb", "mlflow", "psycopg"} <= names
    assert not {"pytest", "ruff", "mypy", "playwright", "mkdocs"} & names


def test_the_recipe_is_consistent():
    ignored = [line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").split("\n") if line.startswith("!")]
    for word, rest in STEPS:
        if word == "COPY" and not rest.startswith("--from"):
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists()
                assert any(fnmatch.fnmatch(source, one) for one in ignored), f"{source} is kept out by .dockerignore"
        if word == "RUN" and "pip install" in rest:
            assert "--no-deps" in rest
            assert "--require-hashes" in rest or rest.rstrip().endswith(" .")
    users = [rest for word, rest in STEPS if word == "USER"]
    assert users
    assert users[-1] not in ("0", "root")
    assert json.loads(dict(STEPS)["ENTRYPOINT"]) == ["prevenance"]


def test_the_compose_file_gives_away_nothing():
    night = yaml.safe_load((ROOT / "docs" / "night" / "compose.yaml").read_text(encoding="utf-8"))
    score = night["services"]["score"]
    assert score["read_only"] is True
    assert score["network_mode"] == "none"
    assert score["cap_drop"] == ["ALL"]
    assert score["user"] not in ("0", "root")
    assert "no-new-privileges:true" in score["security_opt"]
    assert {one.split(":")[1]: one.split(":")[2:] for one in score["volumes"]} == {"/data": ["ro"], "/conf": ["ro"], "/out": []}
    assert all(name in night["secrets"] for name in score["secrets"])
    assert not [value for key, value in score["environment"].items() if key.endswith("KEY")]


@pytest.mark.sweep
def test_its_steps_give_what_trains_and_scores_without_network_or_root(tmp_path):
    """Each COPY and RUN of the recipe in a tree of its own; the libraries are those of this environment, hash for hash the same versions."""
    tree, home = tmp_path / "build", tmp_path / "opt"
    tree.mkdir()
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    place = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    here = Path(next(one for one in sys.path if one.endswith("site-packages")))
    (place / "libraries.pth").write_text(f"{here}\n")
    for word, rest in STEPS:
        if word == "COPY" and not rest.startswith("--from"):
            *sources, _ = rest.split()
            for source in sources:
                (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, tree / source)
        elif word == "RUN" and rest.rstrip().endswith("--no-build-isolation ."):
            install = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-qq",
                "--no-deps",
                "--no-build-isolation",
                "--no-index",
                "--target",
                str(place),
                ".",
            ]
            subprocess.run(install, cwd=tree, check=True, capture_output=True)
    shutil.rmtree(tree)
    out = tmp_path / "out"
    out.mkdir()
    environment = {
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "MPLCONFIGDIR": str(tmp_path / "home"),
        "PYTHONHASHSEED": "0",
    }
    (tmp_path / "home").mkdir()
    before = (
        ["unshare", "-n"]
        if os.geteuid() == 0 and shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"], check=False).returncode == 0
        else []
    )
    if os.geteuid() == 0 and shutil.which("setpriv"):
        nobody = pwd.getpwnam("nobody")
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and folder.is_relative_to("/tmp"):
                folder.chmod(folder.stat().st_mode | 0o055)
        for folder in (out, tmp_path / "home"):
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        before += ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        code = "from prevenance.cli import main; main()"
        return subprocess.run(
            [*before, str(python), "-c", code, *words], cwd=out, env=environment, capture_output=True, text=True, check=False
        )

    shown = run("--version")
    if "Permission denied" in shown.stderr:
        pytest.skip("another user may not read this Python; the steps ran, the night did not")
    assert shown.stdout.startswith("prevenance "), shown.stderr
    for words in (["train", *TINY, f"out={out / 'o'}"], ["score", f"out={out / 'o'}"]):
        done = run(*words)
        assert (done.returncode, done.stderr) == (0, "")
    assert (out / "o" / "lists" / "churn" / "latest" / "list.html").is_file()
    assert run("score", f"out={out / 'o'}", "as_of=2999-01-01").returncode == 2


@pytest.mark.sweep
def test_a_builder_builds_it():
    builder = next((found for name in ("docker", "podman", "buildah") if (found := shutil.which(name))), None)
    if builder is None or subprocess.run([builder, "info"], capture_output=True, check=False).returncode:
        pytest.skip("no builder of images works here")
    subprocess.run([builder, "build", "-t", "prevenance-test", "."], cwd=ROOT, check=True)
    alone = ["--rm", "--network", "none", "--read-only", "--tmpfs", "/tmp"]
    done = subprocess.run([builder, "run", *alone, "prevenance-test", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("prevenance ")
