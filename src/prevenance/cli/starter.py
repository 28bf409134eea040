"""``prevenance init``: a private conf folder with one source to fill in, from the files that are there; nothing is ever overwritten."""

import json
import re
import shlex
from importlib.resources import files
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.runs.commands import conf_folder
from prevenance.runs.help import init_text
from prevenance.sources.guess.found import Guess

SELECTS = ("customers", "subscriptions")
EXPECTED = {"accounts": "accounts.csv", "subscriptions": "subscriptions.csv"}
"""What the selects of the template read, where no data folder is given."""


def init_command(arguments: list[str]) -> str:
    """Write what ``prevenance init folder source=acme data=path`` asks for, and return what is told of it.

    Raises:
        PrevenanceError: E201 for an unknown key, E202 for what is no key=value, and what ``write_source`` refuses.
    """
    if {"-h", "--help"} & set(arguments):
        return init_text()
    given = dict(one.split("=", 1) for one in arguments if "=" in one)
    if unknown := [key for key in given if key not in ("source", "data")]:
        raise PrevenanceError("E201", f'there is no setting "{unknown[0][:60]}"', fix=did_you_mean(unknown[0], ("source", "data")))
    folders = [one for one in arguments if "=" not in one]
    if flags := [one for one in folders if one.startswith("-")]:
        raise PrevenanceError("E202", f'there is no flag "{flags[0][:60]}"', fix="write prevenance init conf-acme source=acme data=path")
    if len(folders) > 1:
        raise PrevenanceError(
            "E202", f'"{folders[1][:60]}" is a second folder', fix=f"write prevenance init {shlex.quote(folders[0])} source=acme data=path"
        )
    data = Path(given["data"]) if given.get("data") else None
    return write_source(Path(folders[0] if folders else "conf"), given.get("source", "mine"), data)


def write_source(folder: Path, name: str = "mine", data: Path | None = None) -> str:
    """Write ``source/<name>.yaml`` and its selects into ``folder``, and return what was written, left alone, and comes next.

    Raises:
        PrevenanceError: E209 a name that is none, E213 a source of that name is there, E401 no such data folder, E801 it cannot be written.
    """
    _check_name(name)
    yaml, selects = folder / "source" / f"{name}.yaml", folder / "source" / name
    if yaml.exists() or yaml.is_symlink():
        fix = f"write source={_free_name(folder, name)}, or edit that file"
        raise PrevenanceError("E213", f"the source {name} is there already, nothing was written", fix=fix, path=yaml)
    guess = _guess(data) if data else Guess()
    kept = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    written = _texts(name, guess)
    try:
        selects.mkdir(parents=True, exist_ok=True)
        made = [path for path, text in written.items() if _write_new(folder / path, text)]
    except OSError as problem:
        fix = "give a folder that this user may write to"
        raise PrevenanceError("E801", f"cannot write the conf folder ({problem.strerror})", fix=fix, path=problem.filename) from problem
    return "\n".join(_told(folder, name, data, guess, made, kept)) + "\n"


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,40}", name):
        fix = "write source=acme: a letter, then letters, digits, _ or -, at most 41"
        raise PrevenanceError("E209", f'"{name[:60]}" is no name of a source', key="source", fix=fix)
    if (conf_folder() / "source" / f"{name}.yaml").is_file():
        fix = f"write source=my_{name}"
        raise PrevenanceError("E209", f'"{name}" is a source that is shipped; a file of yours would hide it', key="source", fix=fix)


def _free_name(folder: Path, name: str) -> str:
    number = 2
    while (folder / "source" / f"{name[:38]}{number}.yaml").exists():
        number += 1
    return f"{name[:38]}{number}"


def _guess(data: Path) -> Guess:
    """Return what the files of a folder are taken for.

    Raises:
        PrevenanceError: E401 where there is no such folder.
    """
    if not data.is_dir():
        raise PrevenanceError("E401", "there is no data folder", key="data", fix="set data=<the folder with the exported files>", path=data)
    from prevenance.sources.guess.source import guessed_source  # late: the engine is heavy

    return guessed_source(data, conf_folder() / "source")


def _texts(name: str, guess: Guess) -> dict[str, str]:
    """Return path below the conf folder -> text: what was guessed, or where nothing was, the template with the files' columns."""
    texts = {}
    if guess.questions:
        asked = "\n".join(f"{number}. {one}" for number, one in enumerate(guess.questions, 1))
        texts[f"source/{name}/questions.md"] = (
            f"# What init could not decide\n\nThe source runs as it is; these change what it means.\n\n{asked}\n"
        )
    if guess.selects:
        head = (
            "# Guessed by prevenance init, which never writes it again; what it could not decide stands in questions.md beside the selects."
        )
        keys: dict[str, Any] = {"name": name, "static": True} | guess.settings
        lines = [head, *(_yaml_line(key, value) for key, value in keys.items() if key not in ("files", "targets"))]
        for key in ("files", "targets"):
            if keys.get(key):
                lines += [f"{key}:", *(f"  {_yaml_line(one, value)}" for one, value in keys[key].items())]
        return (
            texts
            | {f"source/{name}.yaml": "\n".join(lines) + "\n"}
            | {f"source/{name}/{one}.sql": f"{text}\n" for one, text in guess.selects.items()}
        )
    entries = guess.settings.get("files") or EXPECTED
    listed = "   # below data=\n" + "\n".join(f"  {_yaml_line(view, entry)}" for view, entry in entries.items())
    columns = "".join(f"-- {view} has: {_one_line(', '.join(names))}\n" for view, names in guess.columns.items())
    templates = files("prevenance.cli") / "templates"
    texts |= {f"source/{name}.yaml": (templates / "source.yaml").read_text(encoding="utf-8").format(name=name, files=listed)}
    return texts | {f"source/{name}/{one}.sql": columns + (templates / f"{one}.sql").read_text(encoding="utf-8") for one in SELECTS}


def _yaml_line(key: str, value: object) -> str:
    """Return a line of a yaml: JSON is yaml, and needs no library."""
    bare = isinstance(value, str) and re.fullmatch(r"[A-Za-z][\w/-]*", value)
    return f"{key}: {value if bare else json.dumps(value, ensure_ascii=False)}"


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)


def _write_new(path: Path, text: str) -> bool:
    """Write a file that is not there, and return whether it was."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        return False
    return True


def _told(folder: Path, name: str, data: Path | None, guess: Guess, made: list[str], kept: list[str]) -> list[str]:
    lines = [f"WROTE     {folder}/: {', '.join(made)}"]
    if kept:
        lines.append(f"LEFT      as they were: {', '.join(kept[:8])}" + (f" and {len(kept) - 8} more" if len(kept) > 8 else ""))
    if data:
        lines.append(f"FOUND     {', '.join(guess.columns) or 'no file with a table'} in {data}")
        lines += [f"          {one}" for one in guess.told]
        if not guess.selects:
            lines.append(f"ADAPT     nothing in {data} could be taken for a table: name your own files and columns in the selects")
    if guess.questions:
        lines.append(
            f"ASKED     {len(guess.questions)} question{'s' if len(guess.questions) > 1 else ''} in {folder}/source/{name}/questions.md"
        )
    place = f"data={data}" if data else "data=<folder>"
    command = "validate" if data else "train"
    if data and not guess.columns:
        return [*lines, f"NEXT      put your exports into {data}, remove {folder}/ and run this again; or name your files in the selects"]
    lines.append(
        f"NEXT      prevenance {command} --config-dir {shlex.quote(str(folder))} source={name} {shlex.quote(place) if data else place}"
    )
    return lines
