"""The models of a target as plain folders, and which one is the champion: enough for a night without the model store.

``<models>/<digest>/`` is a saved model, ``champion`` points to one of them, and ``versions.json`` says which version in the store each is,
``champions.json`` who was champion one after the other.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from prevenance.base import disk

CHAMPION = "champion"
VERSIONS = "versions.json"
REIGNS = "champions.json"


def keep_model(models: Path, digest: str, saved: Path) -> Path:
    """Keep the model saved in the folder ``saved`` as ``<models>/<digest>/`` and return that; a damaged one there is replaced.

    Raises:
        PrevenanceError: E801 if it cannot be written.
    """
    files, folder = disk.contents(saved), models / digest
    disk.sweep(models)
    if folder.is_dir():
        if disk.contents(folder) == files:
            return folder
        with disk.writing(folder):
            shutil.rmtree(folder)
    return disk.write_folder(folder, files)


def register_version(models: Path, digest: str, version: str, promoted: bool, until: str = "") -> None:
    """Note the version of a kept model and, if ``promoted``, make it the champion in one step; E801 if that cannot be written.

    ``until`` is what the model knows at most (ISO, naive UTC): a night that is made up for takes the champion of its time.
    """
    noted = json.dumps(model_versions(models) | {digest: version}, sort_keys=True, indent=1) + "\n"
    disk.write(models / VERSIONS, noted.encode())
    if promoted:
        if until and (before := _reigns(models))[-1:] != [[digest, until]]:
            disk.write(models / REIGNS, (json.dumps([*before, [digest, until]], indent=1) + "\n").encode())
        # The pointer last: whatever breaks before, the old champion stays.
        disk.point(models / CHAMPION, digest)


def champion_at(models: Path, cutoff: datetime) -> tuple[str, str] | None:
    """Return (version, digest) of the champion made last among those that know nothing after ``cutoff`` (naive UTC); ``None`` without one."""
    found = [digest for digest, until in _reigns(models) if datetime.fromisoformat(until) <= cutoff]
    return (model_versions(models).get(found[-1], "unknown"), found[-1]) if found else None


def _reigns(models: Path) -> list[list[str]]:
    try:
        return [
            [str(digest), datetime.fromisoformat(until).isoformat()]
            for digest, until in json.loads((models / REIGNS).read_text(encoding="utf-8"))
        ]
    except (OSError, ValueError, TypeError, RecursionError):
        return []


def shelf_champion(models: Path) -> tuple[str, str] | None:
    """Return (version, digest) of the model that ``champion`` points to, or ``None``; a version that was not noted is "unknown"."""
    digest = disk.pointed(models / CHAMPION)
    return None if digest is None else (model_versions(models).get(digest, "unknown"), digest)


def model_versions(models: Path) -> dict[str, str]:
    """Return model digest -> version, as far as it was noted."""
    try:
        return dict(json.loads((models / VERSIONS).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError):
        return {}


def known_champion(store: Path, models: Path, target: str) -> tuple[tuple[str, str] | None, str]:
    """Return the champion (version, digest) by the store and the shelf together, if there is one, and a sentence where they disagree."""
    kept = shelf_champion(models)
    try:
        known, found = store_champion(store, target, kept[1] if kept else None)
    except sqlite3.Error as error:
        return kept, f"the model store {store} cannot be read ({error}); the champion is taken from {models}"
    if found and kept and not (models / found[1]).is_dir() and (models / kept[1]).is_dir():
        return kept, f"the model store names {found[1][:12]} as champion, which is not in {models}; the one before it stays"
    return (found, "") if found or known else (kept, "")


def store_champion(store: Path, target: str, kept: str | None) -> tuple[bool, tuple[str, str] | None]:
    """Return whether the model store knows the model ``kept`` (a digest) as one of the target's, and the champion (version, digest) there.

    Read without MLflow, whose import takes seconds and whose engine tries a damaged store again and again for minutes.

    Raises:
        sqlite3.Error: the store is there and cannot be read.
    """
    if not store.is_file():
        return False, None
    query = (
        "select a.version, t.value from registered_model_aliases a join model_version_tags t on t.name = a.name and t.version = a.version"
        " where a.name = ? and a.alias = ? and t.key = 'model_digest'"
    )
    known = "select count(*) from model_version_tags where name = ? and key = 'model_digest' and value = ?"
    # Read only: a look must neither make a store nor mend one.
    with closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True, timeout=5)) as opened:
        row = opened.execute(query, (target, CHAMPION)).fetchone()
        held = opened.execute(known, (target, kept)).fetchone()[0] > 0
    return held, (str(row[0]), str(row[1])) if row else None
