"""The shadow's own output folder: a run beside the champion reads what the team said and who was erased, and writes nowhere else."""

import shutil
from pathlib import Path

from prevenance.base import disk
from prevenance.consent.erased import KEY_FILE, LIST_FILE


def mirror_champion(shadow: Path) -> None:
    """Bring who was erased and what the team answered over from the champion's folder: both hold for the shadow too."""
    out = shadow.parent
    for name in (LIST_FILE, KEY_FILE):
        if (out / name).is_file():
            disk.write(shadow / name, (out / name).read_bytes())
    if (out / "feedback").is_dir():
        shutil.rmtree(shadow / "feedback", ignore_errors=True)
        shutil.copytree(out / "feedback", shadow / "feedback")
