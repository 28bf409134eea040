"""``prevenance init``: a private conf folder with one source to fill in, from the files that are there; nothing is ever overwritten."""

import csv
import gzip
import json
import re
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.runs.commands import conf_folder
from prevenance.runs.help import init_text

SELECTS = ("customers", "subscriptions")
EXPECTED = {"accounts": "accounts.csv", "subscriptions": "subscriptions.csv"}
"""What the selects of the template read, where no data folder is given."""

_ENDS = (".csv", ".csv.gz", ".parquet")
_SEPARATORS = ",;\t|"


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
    found = _files(data) if data else {}
    kept = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    written = _texts(name, found)
    try:
        selects.mkdir(parents=True, exist_ok=True)
        made = [path for path, text in written.items() if _write_new(folder / path, text)]
    except OSError as problem:
        fix = "give a folder that this user may write to"
        raise PrevenanceError("E801", f"cannot write the conf folder ({problem.strerror})", fix=fix, path=problem.filename) from problem
    return "\n".join(_told(folder, name, data, found, made, kept)) + "\n"


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


def _files(data: Path) -> dict[str, tuple[dict[str, str], list[str]]]:
    """Return view -> (its entry of ``files``, its columns) of the files of a folder.

    Raises:
        PrevenanceError: E401 where there is no such folder, E303 for a file that cannot be read.
    """
    if not data.is_dir():
        raise PrevenanceError("E401", "there is no data folder", key="data", fix="set data=<the folder with the exported files>", path=data)
    found: dict[str, tuple[dict[str, str], list[str]]] = {}
    for path in sorted(data.iterdir()):
        end = next((end for end in _ENDS if path.name.lower().endswith(end)), None)
        if not path.is_file() or not end:
            continue
        view = re.sub(r"\W+", "_", path.name[: -len(end)].lower(), flags=re.ASCII).strip("_") or "file"
        view = f"t_{view}" if view[0].isdigit() else view
        while view in found:
            view += "_2"
        try:
            separator, columns = (",", _parquet_columns(path)) if end == ".parquet" else _header(path)
        except (OSError, EOFError, ValueError) as problem:
            fix = "export it again, or take it out of the folder"
            raise PrevenanceError("E303", f"{path.name} cannot be read ({str(problem)[:80]})", fix=fix, path=path) from problem
        found[view] = ({"path": path.name} | ({"delimiter": separator} if separator != "," else {}), columns)
    return found


def _header(path: Path) -> tuple[str, list[str]]:
    """Return the separator of a CSV file and the names in its first line."""
    with gzip.open(path, "rb") if path.name.lower().endswith(".gz") else path.open("rb") as stream:
        first = stream.readline(1_000_000).decode("utf-8-sig")
    separator = max(_SEPARATORS, key=first.count)
    return separator, next(csv.reader([first], delimiter=separator), [])


def _parquet_columns(path: Path) -> list[str]:
    from pyarrow import parquet  # late: most folders have none

    return list(parquet.read_schema(path).names)


def _texts(name: str, found: dict[str, tuple[dict[str, str], list[str]]]) -> dict[str, str]:
    """Return path below the conf folder -> text."""
    entries = {view: entry["path"] if len(entry) == 1 else entry for view, (entry, _) in found.items()} or EXPECTED
    lines = [f"  {view}: {json.dumps(entry, ensure_ascii=False)}" for view, entry in entries.items()]
    listed = "   # below data=\n" + "\n".join(lines)
    columns = "".join(f"-- {view} has: {_one_line(', '.join(names))}\n" for view, (_, names) in found.items())
    templates = files("prevenance.cli") / "templates"
    texts = {f"source/{name}.yaml": (templates / "source.yaml").read_text(encoding="utf-8").format(name=name, files=listed)}
    return texts | {f"source/{name}/{one}.sql": columns + (templates / f"{one}.sql").read_text(encoding="utf-8") for one in SELECTS}


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


def _told(folder: Path, name: str, data: Path | None, found: Mapping[str, object], made: list[str], kept: list[str]) -> list[str]:
    lines = [f"WROTE     {folder}/: {', '.join(made)}"]
    if kept:
        lines.append(f"LEFT      as they were: {', '.join(kept[:8])}" + (f" and {len(kept) - 8} more" if len(kept) > 8 else ""))
    if data:
        lines.append(f"FOUND     {', '.join(found) or 'no csv, csv.gz or parquet file'} in {data}")
        if missing := [view for view in EXPECTED if view not in found]:
            lines.append(
                f"ADAPT     the selects read {' and '.join(missing)}, which {data} does not have: name your own files and columns there"
            )
    place = f"data={data}" if data else "data=<folder>"
    lines.append(
        f"NEXT      prevenance train --config-dir {shlex.quote(str(folder))} source={name} {shlex.quote(place) if data else place}"
    )
    return lines
