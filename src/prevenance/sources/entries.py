"""What an entry of ``files`` in a source's yaml may say."""

from collections.abc import Mapping
from typing import Any

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.sources.declared import Entry

KEYS: Mapping[str, tuple[type, str, object]] = {
    **dict.fromkeys(("path", "sqlite", "table", "query"), (str, "a text", "tickets.csv")),
    "sheet": (str, "the name of a sheet", "Sheet1"),
    "member": (str, "the name of a file in the archive", "tickets.csv"),
    "encoding": (str, "the name of an encoding", "cp1252"),
    "decimal": (str, "a sign", ","),
    "delimiter": (str, "a sign", ";"),
    "skip": (object, "a number of lines", 2),
    "rename": (dict, "names in the files with names in selects", {"Konto": "account"}),
    "append": (bool, "true or false", True),
    "timestamp_formats": (list, "a list of formats", ["%d/%m/%Y"]),
}
"""Key of a ``files`` entry -> the kind of its value, that in words, and an example."""


def check_entry(view: str, declared: Any) -> None:
    """Raise E201 for a key that an entry of ``files`` does not have, E202 for a value of another kind than its key's."""
    key = f"files.{view}"
    if isinstance(declared, str):
        return
    if not isinstance(declared, Mapping):
        what = f"{key} says where the rows are, and {str(declared)[:40]} is no path"
        raise PrevenanceError("E202", what, key=key, fix=f"write {key}: {view}.csv in the source's yaml")
    for name, value in declared.items():
        if name not in KEYS:
            raise PrevenanceError("E201", f'an entry of files has no key "{str(name)[:40]}"', key=key, fix=did_you_mean(str(name), KEYS))
        if name == "append" and Entry.of(view, declared).is_table:  # the server says which of its columns may grow
            continue
        kind, words, example = KEYS[name]
        alone = value[0] if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) else value
        inner = value if kind is list else [*value, *value.values()] if kind is dict and isinstance(value, Mapping) else []
        fits = isinstance(value, Mapping if kind is dict else kind) and isinstance(value, bool) == (kind is bool)
        if not fits or not all(isinstance(one, str) for one in inner):
            own: dict[Any, Any] = {"timestamp_formats": [value]} if kind is list and isinstance(value, str) else {name: example}
            if kind is str and isinstance(alone, str):
                own = {name: alone}
            elif name in ("path", "sheet", "member", "table") and isinstance(value, int):
                own = {name: str(value)}
            elif kind is dict:
                own = {}  # nobody knows the names that it should have said
            line = Entry(view, {one: told for one, told in declared.items() if one in KEYS and one != name}).line(**own)
            what = f"{name} is {words}, and {str(value)[:40]} is none"
            raise PrevenanceError("E202", what, key=key, fix=f"write {line} in the source's yaml")
