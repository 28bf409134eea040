"""A customer leaves everything that an output folder owns: training tables, lists, answers, replays, explanations, the model store.

The only act that rewrites a published list: each folder is exchanged in one step, with new digests in its manifest. What is erased stays out of
later runs (see ``erased``). The source is not ours to edit, unless the demo wrote it into the folder itself.
"""

import gzip
import hashlib
import html
import io
import json
import re
import shlex
import shutil
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from prevenance.base import disk, kept
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import canonical_json
from prevenance.base.memo import MEMO
from prevenance.privacy.removal import Person, csv_rows, without_person
from prevenance.publish.folders import MANIFEST, REPORTS
from prevenance.sources.record import CUSTOMER_COLUMNS

OURS = ("train", "replay", "explain", "export", "feedback", "leakage", "mlruns", "models", "record", "status")
"""Folders below the output folder whose files are rewritten one by one; ``lists``, the reports and ``demo`` have laws of their own."""

NEVER = ("erased.json", "erased.key", "audit.log")
"""Files that know no id in clear."""


@dataclass
class Certificate:
    """What was erased: rows (or files) per place, models that learned from the customer, and files that still name them (none)."""

    places: dict[str, int] = field(default_factory=dict)
    retrain: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def add(self, place: str, number: int) -> None:
        """Count what went from a place."""
        if number:
            self.places[place] = self.places.get(place, 0) + number


def erase_customer(out: Path, customer: str, pseudonym: str = "") -> Certificate:
    """Take a customer, and whoever has the pseudonym, out of everything below ``out``; return the counts. Doing it again changes nothing.

    Raises:
        PrevenanceError: E801 if a file cannot be written or the model store is in use.
    """
    done, person = Certificate(), replace(person_of(out, customer), pseudonym=pseudonym)
    done.retrain = _learned(out, person)
    # oldest first: a rewritten folder gets a new time, and the order of their times stays
    published = [*(out / "lists").glob("*/*/" + MANIFEST), *(path for name in REPORTS for path in (out / name).glob("*/" + MANIFEST))]
    for manifest in sorted(published, key=lambda path: path.stat().st_mtime_ns):
        if not manifest.parent.is_symlink():
            done.add(manifest.parent.parent.relative_to(out).as_posix(), _folder(manifest.parent, person))
    digest = hashlib.sha256(customer.encode(errors="surrogatepass")).hexdigest()[:16]
    # an explanation is about one person: the whole file goes
    for path in sorted((out / "explain").rglob(f"{digest}.*")):
        with disk.writing(path):
            path.unlink()
        done.add("explain", 1)
    for path in _files(out):
        place = path.relative_to(out).parts[0]
        done.add(place, _file(path, path.relative_to(out).as_posix(), person))
    if (out / "mlflow.db").is_file():
        done.add("mlflow.db", _store(out / "mlflow.db", person))
    # a certificate names the person by a hash and may stay
    done.left = [name for name in _left(out, person) if not name.startswith("erasures/")]
    return done


def is_named(out: Path, customer: str) -> bool:
    """Return whether any file below the output folder, or the data beside it that we made, names the customer; the memo, which goes as a whole, is not asked."""
    spelt = {customer, html.escape(customer), json.dumps(customer)[1:-1]}
    return bool(_naming(out, re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in spelt)), besides=MEMO))


def person_of(out: Path, customer: str) -> Person:
    """Return who is meant: names on lists that nobody else bears, e-mail addresses of their rows, and ids of what was theirs alone."""
    theirs: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    for path in [*(out / "lists").glob("*/*/list.json"), *(out / "replay").glob("*/*/list.json")]:
        for row in kept.needed_rows(path, fix=kept.removed_folder(path.parent, "erase again")):
            (theirs if row.get("customer_id") == customer else others).append(dict(row))
    linked: set[str] = set()
    for path in (out / "demo").glob("*.csv*") if (out / "demo" / "demo.json").is_file() else ():
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        own: list[dict[str, str]] = []
        rest: list[dict[str, str]] = []
        for row in csv_rows(content):
            key = next((one for one in CUSTOMER_COLUMNS if one in row), None)
            (own if key and row[key] == customer else rest).append(row)
        theirs, others = theirs + own, others + [row for row in rest if "name" in row]
        # a contract or ticket id that others have too gives nobody away
        for name in [name for name in (own[0] if own else ()) if name.endswith("_id") and name not in CUSTOMER_COLUMNS]:
            linked |= {row[name] for row in own} - {row[name] for row in rest} - {""}
    borne = {str(row.get("name")) for row in others}
    names = {str(row["name"]) for row in theirs if row.get("name") and len(str(row["name"])) >= 3} - borne
    return Person(customer, frozenset(names | (_mails(theirs) - _mails(others))), frozenset(linked))


def _mails(rows: list[dict[str, Any]]) -> set[str]:
    return {mail for row in rows for cell in row.values() for mail in re.findall(r"[\w.+-]+@[\w-]+\.[\w.-]*\w", str(cell))}


def _files(out: Path) -> list[Path]:
    found = [path for path in out.iterdir() if path.is_file() and path.name not in NEVER and path.suffix != ".db"]
    folders = [*OURS, *(["demo", "demo-truth"] if (out / "demo" / "demo.json").is_file() else [])]
    return sorted(found) + sorted(path for name in folders for path in (out / name).rglob("*") if path.is_file() and not path.is_symlink())


def _file(path: Path, name: str, person: Person) -> int:
    with disk.writing(path):
        content = path.read_bytes()
    now, rows = _without(path, name, content, person)
    if now != content:
        disk.write(path, now)
    return rows or int(now != content)


def _without(path: Path, name: str, content: bytes, person: Person) -> tuple[bytes, int]:
    """Return a file's content without the person and how many rows went; E801 naming one that its kind cannot be read as."""
    try:
        return without_person(name, content, person)
    except Exception as problem:  # whatever a library says of a damaged file: nobody can tell whom it names
        raise kept.damaged_error(path, f"remove it (rm {shlex.quote(str(path))}) and erase again") from problem


def _folder(folder: Path, person: Person) -> int:
    """Rewrite one published folder, if it names the person, and return how many rows went."""
    again = kept.removed_folder(folder, "erase again")
    manifest = dict(kept.needed_json(folder / MANIFEST, "counts", "files", fix=again))
    held = {name: content for name, content in disk.contents(folder).items() if name != MANIFEST}
    found = {name: _without(folder / name, name, content, person) for name, content in held.items()}
    now = {name: content for name, (content, _) in found.items()}
    # a list that never named them keeps its bytes and its digests
    if now == held:
        return 0
    listed = found.get("list.json", (b"", 0))[1]
    counts = manifest["counts"]
    if listed:
        counts["listed"] -= listed
        counts.setdefault("excluded", {})["erased"] = counts.get("excluded", {}).get("erased", 0) + listed
    if "tickets" in counts:
        counts["tickets"] -= found.get("paths.parquet", (b"", 0))[1]
    manifest["erased"] = manifest.get("erased", 0) + 1
    manifest["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in now.items()}
    disk.exchange_folder(folder, {**now, MANIFEST: canonical_json(manifest)})
    return sum(rows for _, rows in found.values())


def _learned(out: Path, person: Person) -> list[str]:
    """Return the targets whose newest training had rows of the person: their models should be trained again."""
    tables = sorted((out / "train").glob("*/features.parquet"))
    return [path.parent.name for path in tables if _without(path, path.name, path.read_bytes(), person)[1]]


def _store(path: Path, person: Person) -> int:
    """Take the person out of every text of the model store and write the file anew, so that no deleted page stays."""
    count = 0
    try:
        with closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as store:
            # SQLite leaves deleted text in free pages
            store.execute("pragma secure_delete=on")
            columns = "select t.name, c.name from sqlite_master as t, pragma_table_info(t.name) as c where t.type = 'table' and t.name not like 'sqlite_%'"
            for table, column in store.execute(columns).fetchall():
                cells = f'select rowid, "{column}" from "{table}" where typeof("{column}") in (\'text\', \'blob\')'
                for place, cell in store.execute(cells).fetchall():
                    text = cell.decode(errors="replace") if isinstance(cell, bytes) else cell
                    now = "" if person.is_it(text) else person.scrubbed(text)
                    if now != text:
                        store.execute(f'update "{table}" set "{column}" = ? where rowid = ?', (now, place))
                        count += 1
            store.execute("vacuum")
            store.execute("pragma wal_checkpoint(truncate)")
    except sqlite3.Error as problem:
        what, fix = f"the model store cannot be rewritten ({problem})", "stop what uses it and erase again"
        raise PrevenanceError("E801", what, fix=fix, path=path) from problem
    return count


def _left(out: Path, person: Person) -> list[str]:
    """Return the files that still name the person, looked for in what they hold (unpacked) and in their raw bytes."""
    return _naming(out, person.pattern) if person.marks else []


def _naming(out: Path, pattern: re.Pattern[str], besides: str = "") -> list[str]:
    found = []
    for path in sorted(path for path in out.rglob("*") if path.is_file() and not path.is_symlink()):
        if path.relative_to(out).parts[0] == besides:
            continue
        with disk.writing(path):
            texts = [path.read_bytes(), *_unpacked(path)]
        if any(pattern.search(text.decode(errors="replace")) for text in texts):
            found.append(path.relative_to(out).as_posix())
    return found


def _unpacked(path: Path) -> list[bytes]:
    if path.suffix == ".gz":
        return [gzip.decompress(path.read_bytes())]
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return [book.read(name) for name in book.namelist()]
    if path.suffix == ".parquet":
        import pyarrow.csv as pc
        import pyarrow.parquet as pq

        written = io.BytesIO()
        pc.write_csv(pq.read_table(path), written)
        return [written.getvalue()]
    return []


def sweep_unfinished(out: Path) -> None:
    """Remove what killed runs left unfinished anywhere below ``out``; the caller holds the lock."""
    for left in sorted(out.rglob(disk.TEMPORARY + "*"), reverse=True):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        elif left.exists() or left.is_symlink():
            left.unlink()
