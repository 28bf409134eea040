"""Write the demo company's files, as a company would export them, and beside them what is true of it."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base import disk, lock
from prevenance.base.formats import csv_bytes
from prevenance.demo.programme import HELD, LISTED, Programme, programme_of
from prevenance.demo.simulated import write_company
from prevenance.demo.switches import demo_of
from prevenance.order.holdout import HOLDOUT
from prevenance.publish.published import published_lists
from prevenance.runs.commands import command
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps

DEMO_FILES = 2
"""Raised when the demo company's files get other columns."""


def make_company(given: Settings, steps: Steps) -> None:
    """Write the files to ``data`` (default ``<out>/demo``) and say what was made and how well it could be foreseen."""
    folder = Path(given.data) if given.data else given.folder / "demo"
    steps("make the demo company")
    facts = write_company(folder, demo_of(asdict(given.demo)), programme_so_far(given))
    steps.tell(company_text(folder, facts))


def ensure_demo(given: Settings, folder: Path, steps: Steps) -> None:
    """Write the demo company's files unless they are there, made with the same settings."""
    # a company of before that lacks files or columns of today is written again
    programme = programme_so_far(given)
    done = (
        {} if programme is None else {"start": str(programme.start), "contacts": hashlib.sha256(csv_bytes(programme.contacts)).hexdigest()}
    )
    asked = {name: value for name, value in asdict(given.demo).items() if name != "plants" or value}
    wanted = json.dumps(asked | {"files": DEMO_FILES} | done, sort_keys=True)
    mark = folder / "demo.json"
    if mark.is_file() and mark.read_bytes() == wanted.encode():
        return
    with lock.hold_lock(given.folder, "demo"), disk.writing(folder):
        steps("make the demo company")
        folder.mkdir(parents=True, exist_ok=True)
        # First the mark goes and last it comes: a company half written is written again.
        mark.unlink(missing_ok=True)
        write_company(folder, demo_of(asdict(given.demo)), programme)
        disk.write(mark, wanted.encode())


def programme_so_far(given: Settings) -> Programme | None:
    """Return what the team did with the lists of customers to keep that are published in ``out``; ``None`` without a programme."""
    if not given.demo.programme:
        return None
    parts = [pd.DataFrame({"customer_id": [], "cutoff": [], "part": [], "option": []})]
    for one in published_lists(given.folder, "churn"):
        rows = one.rows[["customer_id", "cutoff", "rank", "arm"]]
        rows = rows[rows["rank"].notna() | rows["arm"].eq(HOLDOUT)]
        drawn = pd.read_csv(one.folder / "arms.csv", dtype={"customer_id": "str", "way": "str"}).reindex(columns=["customer_id", "way"])
        told = rows["customer_id"].map(drawn.set_index("customer_id")["way"]).fillna("")
        parts.append(
            rows.assign(part=np.where(rows["rank"].notna(), LISTED, HELD), option=told)[["customer_id", "cutoff", "part", "option"]]
        )
    return programme_of(demo_of(asdict(given.demo)), pd.concat([part for part in parts if len(part)] or parts, ignore_index=True))


def company_text(folder: Path, facts: dict[str, Any]) -> str:
    """Return the summary of a company that was made."""
    truth, rows = facts["truth"], facts["rows"]
    lines = [
        f"COMPANY   {facts['customers']:,} customers, and {facts['left']:,} who left or gave notice in {truth['settings']['months']} months",
        f"FILES     {folder}/  " + ", ".join(f"{name} {number:,}" for name, number in rows.items()),
        f"TRUTH     {folder / 'truth.json'}: how well an oracle that knows hidden health and decisions would rank; a model can reach less",
    ]
    for target in ("churn", "tickets", "cross_sell"):
        one = truth[target]
        figures = "no closed label window yet"
        if one["roc_auc"] is not None:
            figures = f"AUC {one['roc_auc']:.3f}, average precision {one['average_precision']:.3f}"
        lines.append(f"          {target:<10} {figures}  ({one['positives']:,} outcomes in {one['snapshots']:,} snapshots)")
    planted = [f"leak {one['name']} ({', '.join(one['features'])})" for one in truth["leaks"] if one["on"]]
    planted += [f"{name} of {one['value']}" for name, one in (("poor records", bias) for bias in truth["biases"]) if one["on"]]
    planted += [f"{name.replace('_', ' ')} at the help desk" for name in truth["settings"].get("plants", ())]
    planted += ["drift"] if truth["drift"]["on"] else []
    if planted:
        lines.append("PLANTED   " + "; ".join(planted))
    lines.append(f"NEXT      {command('train', 'source=demo', f'data={folder}')}")
    return "\n".join(lines)
