"""Publishing: a finished list becomes a folder that never changes, and one pointer flips to it.

``<out>/lists/<target>/<cutoff>-<digest>/`` holds a list; ``latest`` beside it points to the newest. A reader sees the old list or the
new one, whatever happens in between.
"""

import hashlib
import re
import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from typing import Any

from prevenance.base import disk, kept
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import canonical_json, instant_stamp

LATEST = "latest"
WEEK = "week"
"""The folder of the week below ``lists``: no target is called so."""
NIGHT = ("score", "backfill")
"""Pipelines whose last run ``status.json`` tells."""
REPORTS = ("watch", "support", "outcomes", "experiment")
"""Reports that are published as lists are, each below the folder of its name."""
MANIFEST = "manifest.json"
VIEWS = frozenset({"list.html", "list.xlsx", "digest.md", "digest.slack.txt", "digest.mail.txt", "view.json"})
"""What people read of a list: it may look at the lists before, so the same list made again may tell more. What is published stays."""

REPORT_VIEWS = frozenset({"report.html", "map.svg"})
"""What people read of a report: the same one made again may tell it in better words. What is published stays."""

WRITERS: dict[str, Callable[[Any, Mapping[str, Any]], bytes]] = {}
"""Files that plug-ins add to a list: name -> function of its rows and manifest. As a view, one may come to a list that is published."""

FolderCheck = Callable[[Path, Mapping[str, Any]], None]
"""Looks at a finished folder and its manifest before the folder gets its name, and raises if it may not be seen."""


def publish_list(
    root: Path, target: str, cutoff: datetime, files: Mapping[str, bytes], manifest: Mapping[str, Any], check: FolderCheck | None = None
) -> Path:
    """Publish a list below ``<root>/lists/<target>/`` and return its folder.

    The folder is called ``<cutoff>-<first 12 of manifest["run_id"]>`` and holds ``files`` and ``manifest.json`` with their SHA-256.
    A list that is already published stays as it is, its ``VIEWS`` too. ``latest`` never moves to an older cutoff. The caller holds the lock.

    Args:
        root: the output folder.
        target: the target's name.
        cutoff: naive UTC.
        files: what the folder holds; a name may have folders in it (``quarantine/tickets.csv``).
        manifest: what ``manifest.json`` says besides ``files``; ``run_id`` is the hash (hex) of everything that the list depends on.
        check: looks at the finished folder before it can be seen; one that is published already is not looked at again.

    Raises:
        PrevenanceError: E801 if something cannot be written, or the folder is there with other content. ``latest`` is then as before.
    """
    lists = root / "lists" / target
    _refuse_links("lists are", lists.parent, lists)
    return _published(lists, cutoff, files, manifest, check)


def publish_report(
    root: Path, name: str, cutoff: datetime, files: Mapping[str, bytes], manifest: Mapping[str, Any], check: FolderCheck | None = None
) -> Path:
    """Publish a report below ``<root>/<name>/`` as ``publish_list`` publishes a list, and return its folder."""
    _refuse_links("reports are", root / name)
    return _published(root / name, cutoff, files, manifest, check)


def _refuse_links(what: str, *folders: Path) -> None:
    for one in folders:
        if one.is_symlink():  # what is published stays below the output folder
            fix = f"put the folder that it points to in its place, or remove the link (rm {shlex.quote(str(one))}), and run again"
            raise PrevenanceError("E801", f"a link stands where {what} published", fix=fix, path=one)


def _published(place: Path, cutoff: datetime, files: Mapping[str, bytes], manifest: Mapping[str, Any], check: FolderCheck | None) -> Path:
    disk.sweep(place)
    folder = write_bundle(place / f"{instant_stamp(cutoff)}-{_digest(manifest)}", files, manifest, check)
    now = disk.pointed(place / LATEST)
    # One made up for a night of the past must not become the newest.
    if now is None or _moment(now) <= instant_stamp(cutoff):
        disk.point(place / LATEST, folder.name)
    return folder


def plugged_files(rows: Any, manifest: Mapping[str, Any]) -> dict[str, bytes]:
    """Return what the writers of plug-ins make of a list.

    Raises:
        PrevenanceError: E603 naming the file whose writer failed, or gave something else than bytes.
    """
    found = {}
    for name, write in WRITERS.items():
        try:
            found[name] = write(rows.copy(), manifest)
        except Exception as problem:  # a stranger's code: the list of before stays, and one line says whose it was
            what = f"the plug-in's writer failed ({type(problem).__name__}: {str(problem)[:120]})"
            raise PrevenanceError("E603", what, file=name, fix="mend the writer, or leave its plug-in out of plugins=") from problem
        if not isinstance(found[name], bytes):
            raise PrevenanceError(
                "E603", f"the plug-in's writer gave {type(found[name]).__name__}, not bytes", file=name, fix="return bytes"
            )
    return found


def write_bundle(folder: Path, files: Mapping[str, bytes], manifest: Mapping[str, Any], check: FolderCheck | None = None) -> Path:
    """Write ``files`` and their ``manifest.json`` as ``folder`` in one step, unless it is there with the same content; return it.

    Raises:
        PrevenanceError: E801 if it cannot be written, or is there with other content.
    """
    for name in files:
        _check_name(name)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    told = {**manifest, "files": sums}
    whole = {**files, MANIFEST: canonical_json(told)}
    if not folder.exists():
        return disk.write_folder(folder, whole, None if check is None else lambda beside: check(beside, told))
    # counts of rows that are not visible yet, and their quarantine, may grow, and views know the lists before; what was published stays as it was
    fixed = {name for name in whole if name not in VIEWS | REPORT_VIEWS | {MANIFEST, *WRITERS} and not name.startswith("quarantine/")}
    other = disk.contents(folder)
    names = sorted(name for name in fixed if other.get(name) != whole.get(name))
    if not names:
        return folder
    what = f"a published list never changes, and this one is there with other content in {', '.join(names)}"
    raise PrevenanceError("E801", what, fix="move that folder away and run again", path=folder)


def status_path(out: Path, pipeline: str) -> Path:
    """Return where the last run of a pipeline is told: ``<out>/status.json`` for the night, which a monitor reads, else ``<out>/status/``."""
    return out / "status.json" if pipeline in NIGHT else out / "status" / f"{pipeline.replace('_', '-')}.json"


def write_status(out: Path, record: Mapping[str, Any], at: datetime) -> Path:
    """Write in one step what the last run of ``record["pipeline"]`` did, also when it refused. Returns the path.

    Added to ``record`` (pipeline, exit, ...): ``at`` (naive UTC), the version, and when the pipeline last ended with 0 (null: not yet).
    """
    path, moment = status_path(out, record["pipeline"]), f"{at.isoformat(timespec='seconds')}Z"
    last = moment if record["exit"] == 0 else _last_success(path)
    return disk.write(path, canonical_json({**record, "at": moment, "version": _version(), "last_success": last}))


def _version() -> str:
    with suppress(PackageNotFoundError):  # a checkout that nobody installed
        return version("prevenance")
    return "unknown"


def _last_success(path: Path) -> str | None:
    # A damaged one tells nothing, and is replaced.
    last = (kept.whole_json(path) or {}).get("last_success")
    return str(last) if last else None


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write ``files`` into ``folder``, each in one step, replacing those of the same name; return ``folder``.

    For the latest training run, which has no history of its own; lists are published with ``publish_list``.
    """
    for name, content in files.items():
        _check_name(name)
        disk.write(folder / name, content)
    return folder


def latest_folder(root: Path, target: str) -> Path | None:
    """Return the folder of the newest published list of ``target``, or ``None``."""
    name = disk.pointed(root / "lists" / target / LATEST)
    return None if name is None else root / "lists" / target / name


def _digest(manifest: Mapping[str, Any]) -> str:
    digest = str(manifest["run_id"])[:12]
    if not re.fullmatch(r"[0-9a-f]{12}", digest):
        raise ValueError(f"run_id {manifest['run_id']!r} is no hash in hex")
    return digest


def _moment(name: str) -> str:
    return name.rpartition("-")[0]


def _check_name(name: str) -> None:
    parts = PurePosixPath(name).parts
    if not parts or name.startswith(("/", disk.TEMPORARY)) or "\\" in name or any(part in ("..", MANIFEST) for part in parts):
        raise ValueError(f"{name!r} is no name of a file in a published folder")
