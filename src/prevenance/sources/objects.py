"""JSON into the engine: one object a line (JSON lines), or an array of objects; nested values stay JSON, for a select to look into."""

from pathlib import Path

import duckdb

from prevenance.sources.alphabets import open_unpacked
from prevenance.sources.declared import Entry
from prevenance.sources.files import LONGEST_LINE, engine_path, free_name, sql_name, sql_text


def read_objects(con: duckdb.DuckDBPyConnection, path: Path, readable: Path, name: str, entry: Entry, part: str) -> list[tuple[str, int]]:
    """Load a file of JSON objects as table ``part``: a text column for every key met, ``_file``, and ``_line``, the line (of an array: the
    place) of the object; return (file, line) of what is no object.

    Raises:
        PrevenanceError: E303 for one object over several lines.
    """
    file = sql_text(engine_path(readable))
    con.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    with open_unpacked(readable) as stream:
        start = stream.read(65_536).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"[":
        rows = (
            f"select json, row_number() over () as line from read_json_objects({file}, format='array', maximum_object_size={LONGEST_LINE})"
        )
    else:
        if start.startswith(b"{") and start[1:].lstrip(b" \t")[:1] in (b"\r", b"\n"):
            fix = f"write one object a line: jq -c '.[]' {path.name} > {path.stem}.jsonl (or '.data[]', where the rows are), and name that file under files"
            raise entry.error("E303", f"{name} is one JSON object over several lines, not a table", fix, first=f"{name}:1")
        lines = (
            f"read_csv({file}, columns={{'json': 'VARCHAR'}}, auto_detect=false, header=false, delim='\\x01', quote='', escape='', "
            f"strict_mode=false, store_rejects=true, rejects_limit=100000, ignore_errors=true, max_line_size={LONGEST_LINE})"
        )
        rows = f"select json, row_number() over () as line from {lines}"
    con.execute(
        f"create or replace temp table objects as select line, json, json_valid(json) and json_type(case when json_valid(json) then json end) = 'OBJECT' as fits from ({rows})"
    )
    keys = [
        row[0]
        for row in con.execute(
            "select key from (select unnest(json_keys(json)) as key, line, generate_subscripts(json_keys(json), 1) as place from objects where fits) "
            "group by key order by min((line, place))"
        ).fetchall()
    ]
    if not keys:
        raise entry.error("E303", f"{name} holds no JSON object with a key", "export the file again", first=f"{name}:1")
    columns = ", ".join(f"json ->> {sql_text(_pointer(key))} as {sql_name(free_name(key))}" for key in keys)
    con.execute(
        f"create or replace table {part} as select {columns}, {sql_text(name)} as _file, line as _line from objects where fits order by line"
    )
    broken = con.execute("select line from objects where not fits and trim(json) <> '' order by line").fetchall()
    con.execute("drop table objects")
    return [(name, int(line)) for (line,) in broken]


def _pointer(key: str) -> str:
    """Return the JSON pointer of a key, taken to the letter."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
