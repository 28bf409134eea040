"""What a file is, by its first bytes and not by its name: people rename."""

import json
import zipfile
from pathlib import Path

from prevenance.base.errors import PrevenanceError
from prevenance.sources.alphabets import open_unpacked
from prevenance.sources.declared import Entry

CSV, JSON, PARQUET, SHEET, ZIP = "CSV", "JSON", "Parquet", "an Excel workbook", "a zip archive"

SUFFIXES = {
    CSV: (".csv", ".txt", ".tsv", ".tab", ".dat"),
    JSON: (".jsonl", ".ndjson", ".json"),
    PARQUET: (".parquet",),
    SHEET: (".xlsx", ".xlsm"),
    ZIP: (".zip",),
}
"""Kind -> how its files are usually called."""


SAVE = "open it in a spreadsheet, save it as .xlsx or as CSV UTF-8, and name that file under files"
UNPACK = "unpack it, and name the file in it under files"
STRANGE = {
    b"%PDF": ("a PDF", "export the table as CSV UTF-8"),
    b"7z\xbc\xaf": ("an archive of 7-Zip", UNPACK),
    b"Rar!\x1a": ("a RAR archive", UNPACK),
    b"\x28\xb5\x2f\xfd": ("packed with zstd", UNPACK),
    b"\xfd7zXZ": ("packed with xz", UNPACK),
    b"BZh91AY": ("packed with bzip2", UNPACK),
    b"<!doctype": ("a web page", SAVE),
    b"<html": ("a web page", SAVE),
    b"<table": ("a web page", SAVE),
    b"<?xml": ("XML", SAVE),
}
"""First bytes of what is no table -> what it is, and what to do."""


def file_kind(path: Path, entry: Entry, said: list[str], name: str = "") -> str:
    """Return what the file is (a file called otherwise is told in ``said``); ``name`` is what people know it by.

    Raises:
        PrevenanceError: E303 for what cannot be read: an old or protected workbook, a database.
    """
    name = name or path.name
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        what = f"{name} is an old Excel file (.xls) or one with a password"
        raise entry.error("E303", what, "open it, save it as .xlsx without a password or as CSV UTF-8, and name that file under files")
    for bytes_, (what, fix) in STRANGE.items():
        if start.removeprefix(b"\xef\xbb\xbf").lower().startswith(bytes_.lower()):
            raise entry.error("E303", f"{name} is {what}", fix)
    if start.startswith(b"SQLite format 3\0"):
        what = f"{name} is a SQLite database"
        fix = f'write {entry.key}: {{"sqlite": "{entry.pattern}", "table": "<its table>"}} in the source\'s yaml'
        raise entry.error("E303", what, fix)
    kind = _kind(path, start, entry, name)
    suffixes = [one.lower() for one in Path(name).suffixes[-2:] if one.lower() != ".gz"]
    if suffixes and suffixes[-1] not in SUFFIXES[kind] and any(suffixes[-1] in some for some in SUFFIXES.values()):
        said.append(f"{entry.view}: {name} is {kind}, and is read as such")
    return kind


def _kind(path: Path, start: bytes, entry: Entry, name: str) -> str:
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError, ValueError) as problem:
            raise damaged_error(name, entry) from problem
        if "xl/workbook.bin" in names or "content.xml" in names:
            what = f"{name} is a workbook of another kind (.xlsb or .ods)"
            raise entry.error("E303", what, "save it as .xlsx or as CSV UTF-8, and name that file under files")
        return SHEET if any(one.startswith("xl/") for one in names) else ZIP
    if start.startswith(b"PAR1") or path.suffix == ".parquet":
        return PARQUET
    if path.suffix == ".zip" or path.suffix in SUFFIXES[SHEET]:
        raise damaged_error(name, entry)
    return JSON if _is_json(path) else CSV


def _is_json(path: Path) -> bool:
    with open_unpacked(path) as stream:
        start = stream.read(65_536)
    text = start.decode("utf-8-sig", errors="ignore").lstrip()
    if text[:1] == "[":
        return text[1:].lstrip()[:1] in ("{", "]", "")
    if text[:1] != "{":
        return False
    line = text.partition("\n")[0].strip()
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return line == "{" or text[1:].lstrip()[:1] in ('"', "}")


def damaged_error(name: str, entry: Entry) -> PrevenanceError:
    """Return the error for a packed file or workbook that does not open."""
    fix = "export the file again"
    if Path(name).suffix.lower() in SUFFIXES[SHEET]:
        fix += " as .xlsx, or save it as CSV UTF-8 and name that file under files"
    return entry.error("E303", f"{name} is cut off or damaged", fix)
