"""What a ``files`` entry names, read: each file by what it is, as one engine table with every column text, ``_file`` and ``_line``."""

import re
import zlib
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path

import duckdb

from prevenance.base.errors import PrevenanceError
from prevenance.sources.alphabets import in_utf8
from prevenance.sources.archives import members, unpacked
from prevenance.sources.declared import Entry
from prevenance.sources.delimited import read_csv
from prevenance.sources.files import column_names, engine_path, entry_files, free_name, is_out_of_room, rename_columns, sql_name, sql_text
from prevenance.sources.growth import Known, new_part
from prevenance.sources.header import bad_utf8_error, check_packed, empty_error, file_head, first_other_end, mixed_ends_error
from prevenance.sources.kinds import JSON, PARQUET, SHEET, ZIP, file_kind
from prevenance.sources.no_rows import take_out
from prevenance.sources.objects import read_objects
from prevenance.sources.sheets import read_sheet
from prevenance.sources.taken import Loaded


def read_files(con: duckdb.DuckDBPyConnection, root: Path, entry: Entry, known: Mapping[str, Known] | None = None) -> Loaded:
    """Load the files of an entry as table ``raw.<view>``: all columns text, plus ``_file`` and ``_line``.

    A file is a table, or a zip archive of tables; ``_file`` of a member is ``archive/member``, of a declared sheet ``workbook/sheet``. Of what
    is ``known`` (path below ``root`` -> what was read of it) only the rest is loaded.

    Raises:
        PrevenanceError: E303 for a file that is not what was declared, E401 when it is not there.
    """
    loaded = Loaded([])
    # a part for each table: only so can lines be counted per file
    parts: list[str] = []
    for path in entry_files(root, entry):
        before = (known or {}).get(path.relative_to(root).as_posix())
        if before is not None and before.size == path.stat().st_size:
            continue
        try:
            with new_part(path, before, entry) as (here, down), closing(_tables(here, entry, loaded.said)) as tables:
                for name, table, kind in tables:
                    parts.append(f"raw.{sql_name(f'{entry.view}#{len(parts)}')}")
                    ragged = len(loaded.ragged)
                    _load(con, name, table, kind, entry, parts[-1], loaded)
                    if down:
                        con.execute(f"update {parts[-1]} set _line = _line + {down}")
                        loaded.ragged[ragged:] = [(file, line + down) for file, line in loaded.ragged[ragged:]]
        except (duckdb.Error, OSError, EOFError, zlib.error) as problem:
            # a full disk is no fault of the export, and has another exit code
            if is_out_of_room(problem):
                raise
            raise _unreadable_error(path, entry, problem) from problem
    loaded.said += _other_columns(con, entry, parts)
    if len(parts) == 1:  # what is whole already is not copied
        con.execute(f"drop table if exists raw.{sql_name(entry.view)}")
        con.execute(f"alter table {parts.pop()} rename to {sql_name(entry.view)}")
    else:
        con.execute(
            f"create or replace table raw.{sql_name(entry.view)} as " + " union all by name ".join(f"from {part}" for part in parts)
        )
    for part in parts:
        con.execute(f"drop table {part}")
    loaded.columns = rename_columns(con, entry)
    return loaded


def _tables(path: Path, entry: Entry, said: list[str]) -> Generator[tuple[str, Path, str], None, None]:
    """Give (what ``_file`` says, a file that holds it, its kind) of each table in a file."""
    if not path.stat().st_size:
        raise empty_error(path, entry)
    kind = file_kind(path, entry, said)
    if kind != ZIP:
        yield path.name, path, kind
        return
    for member in members(path, entry):
        with unpacked(path, member, entry) as copy:
            if not copy.stat().st_size:
                raise empty_error(copy, entry)
            yield f"{path.name}/{member}", copy, file_kind(copy, entry, said)


def _load(con: duckdb.DuckDBPyConnection, name: str, path: Path, kind: str, entry: Entry, part: str, loaded: Loaded) -> None:
    """Load one table into ``part``, and note in ``loaded`` what is to be told of it."""
    if kind == PARQUET:
        _read_parquet(con, path, name, part)
    elif kind == SHEET:
        ragged, twice = read_sheet(con, path, name, entry, part)
        loaded.ragged += ragged
        loaded.twice |= twice
        loaded.no_rows += take_out(con, part)
    else:
        check_packed(path, entry)
        with in_utf8(path, entry, loaded.said) as readable:
            if kind == JSON:
                loaded.ragged += read_objects(con, path, readable, name, entry, part)
                return
            head = file_head(path, readable, entry)
            loaded.twice |= head.twice
            if head.before > entry.skip:
                loaded.said.append(f'{entry.view}: the first line of {path.name} says which separator it has, "{head.separator}"')
            ragged, below = read_csv(con, path, readable, name, entry, part, head)
            loaded.ragged += ragged
            loaded.no_rows += take_out(con, part)
            if below:
                loaded.no_rows += below
                loaded.said.append(
                    f"{entry.view}: {len(below)} lines of words below the table are left out (first {below[0][0]}:{below[0][1]})"
                )


def _other_columns(con: duckdb.DuckDBPyConnection, entry: Entry, parts: list[str]) -> list[str]:
    """Return a sentence for each file that lacks columns which most files of the entry have, or all before it: renamed half way, they would be blank."""
    told, columns = [], [dict.fromkeys(column_names(con, part)) for part in parts]
    everything = list(dict.fromkeys(name for names in columns for name in names))
    for part, names in zip(parts, columns, strict=True):
        if lacking := [name for name in everything if name not in names]:
            own = [name for name in names if sum(name in other for other in columns) == 1]
            file = con.execute(f"select min(_file) from {part}").fetchall()[0][0]
            beside = f", and alone has {', '.join(own)}: renamed? rename: in an entry of its own mends that" if own else ""
            told.append(f"{entry.view}: {file} has no {', '.join(lacking)}, which other files have{beside}")
    return told if len(told) <= 3 else [*told[:3], f"{entry.view}: {len(told) - 3} more files lack columns that others have"]


def _read_parquet(con: duckdb.DuckDBPyConnection, path: Path, name: str, part: str) -> None:
    file = sql_text(engine_path(path))
    columns = column_names(con, f"select * from read_parquet({file})")
    # text again, so that a Parquet file is judged by the very rules of a CSV file
    texts = ", ".join(f"cast({sql_name(name)} as varchar) as {sql_name(free_name(name))}" for name in columns)
    con.execute(
        f"create or replace table {part} as select {texts}, {sql_text(name)} as _file, file_row_number + 1 as _line "
        f"from read_parquet({file}, file_row_number=true)"
    )


def _unreadable_error(path: Path, entry: Entry, problem: Exception) -> PrevenanceError:
    if "utf-8" in str(problem).lower() or "unicode" in str(problem).lower():
        return bad_utf8_error(path, entry)
    if "state machine" in str(problem) and (line := first_other_end(path)):
        return mixed_ends_error(path, entry, line)
    # what was unpacked or translated lies where nobody looks for it
    said = re.sub(r"(?:/[^/\s\"']+)+/", "", str(problem).splitlines()[0].replace(engine_path(path), path.name))
    what = f"{path.name} cannot be read: {said[:200]}"
    return entry.error("E303", what, "export the file again; it is cut off or not what its name says")
