"""The shadow's own output folder: a run beside the champion reads what the team said and who was erased, and writes nowhere else."""

import shutil
from dataclasses import replace
from pathlib import Path

from prevenance.base import disk
from prevenance.consent.erased import KEY_FILE, LIST_FILE
from prevenance.runs.settings.schema import Settings

SHADOW = "shadow"
"""Folder below the output folder in which a shadow trains and scores."""


def shadowed(given: Settings) -> Settings:
    """Return the settings of a run in the shadow: its output folder is ``<out>/shadow``, its data are those of the champion."""
    data = given.data or (f"{given.out}/demo" if given.source.name == "demo" and Path(given.out, "demo", "demo.json").is_file() else None)
    return replace(given, out=f"{given.out}/{SHADOW}", data=data)


def mirror_champion(shadow: Path) -> None:
    """Bring who was erased and what the team answered over from the champion's folder: both hold for the shadow too."""
    out = shadow.parent
    for name in (LIST_FILE, KEY_FILE):
        if (out / name).is_file():
            disk.write(shadow / name, (out / name).read_bytes())
    if (out / "feedback").is_dir():
        shutil.rmtree(shadow / "feedback", ignore_errors=True)
        shutil.copytree(out / "feedback", shadow / "feedback")
