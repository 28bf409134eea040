"""Take what the team answered to the lists (``file=feedback.csv``), so that the next list honours it."""

import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from prevenance.base import kept
from prevenance.base.disk import writing
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import instant_stamp
from prevenance.decide import feedback, overrides
from prevenance.decide.answered import standing_answers
from prevenance.decide.feedback import ACTIONS, Answer
from prevenance.privacy import trail
from prevenance.publish.wording import count_text, one_line
from prevenance.runs.acts import note_acts
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps

AGAIN = "remove its folder and publish that night again (make backfill)"
"""What to do about a damaged list besides a backup."""
NEXT = "NEXT      make score   # the next list honours them"

Listed = dict[tuple[str, str], float | None]


def take_answers(given: Settings, steps: Steps) -> dict[str, Any]:
    """Read, check and keep the answers of one file: all of them, or none."""
    out, path = given.folder, Path(given.file or "")
    if not given.file or not path.is_file():
        what = f"there is no file at {path}" if given.file else "no file is given"
        raise PrevenanceError("E401", what, key="file", fix="set file=<feedback.csv as the page of a list downloads it>")
    steps("read the answers")
    with writing(path):
        content = path.read_bytes()
    read = feedback.read_answers(content, path.name, given.source.timezone)
    # A list is read once, however many answers there are to it.
    asked = {(one.target, one.run_id, one.cutoff): one for _, one in read}
    lists = {key: rows for key, one in asked.items() if (rows := _listed(out, one)) is not None}
    found, user = feedback.match_answers(read, lists, path.name), f"{feedback.TAKEN_BY}{trail.user_hash()}"
    done: dict[Path, dict[str, str]] = {}
    answers = []
    for one in found:
        folder = _folder(out, one)
        play = done.setdefault(folder, {} if folder in done else _plays(folder)).get(one.customer_id, "")
        # A contact that did something else leaves the proposed play undone.
        done_play = "" if one.play == feedback.OTHER_PLAY else one.play or play
        answers.append(replace(one, by=one.by or user, play=done_play))
    steps("keep the answers")
    targets = sorted({one.target for one in answers})
    taken = {target: feedback.append_answers(out, target, [one for one in answers if one.target == target]) for target in targets}
    note_acts(out, "feedback", taken)
    short = sum(
        one.customer_id == f"{said.customer_id:0>{len(one.customer_id)}}" != said.customer_id
        for one, (_, said) in zip(found, read, strict=True)
    )
    zeros = [f"          {count_text(short, 'id')} without leading zeros found on the list with them"] if short else []
    steps.tell("\n".join([_told(answers, taken), *zeros, *(line for target in taken for line in _overruled(out, target)), NEXT]))
    return {"outcome": "taken", "read": len(answers), "taken": taken}


def _listed(out: Path, answer: Answer) -> Listed | None:
    """Return the chance of each row of the published list that an answer is about; ``None`` if there is no such list."""
    folder = _folder(out, answer)
    # A folder's name holds only the beginning of the hash.
    if not (folder / "list.json").is_file() or _run_id(folder) != answer.run_id:
        return None
    rows = kept.needed_rows(folder / "list.json", "customer_id", "score", fix=AGAIN)
    return {(row["customer_id"], row.get("product_id") or ""): row["score"] for row in rows}


def _folder(out: Path, answer: Answer) -> Path:
    return out / "lists" / answer.target / f"{instant_stamp(feedback.utc_moment(answer.cutoff))}-{answer.run_id[:12]}"


def _plays(folder: Path) -> dict[str, str]:
    """Return customer_id -> play of a published list; lists of earlier versions do not say."""
    path = folder / "plays.csv"
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["customer_id"]: row["play"] for row in csv.DictReader(file)}


def _run_id(folder: Path) -> str:
    return str((kept.whole_json(folder / "manifest.json") or {}).get("run_id", ""))


def _told(answers: list[Answer], taken: dict[str, int]) -> str:
    """Return what was taken, counted; no customer and no text is told."""
    new = sum(taken.values())
    lines = [f"FEEDBACK  {count_text(len(answers), 'answer')} read, {new} taken, {len(answers) - new} known already"]
    for target in taken:
        counts = Counter(one.action for one in answers if one.target == target)
        lines.append(f"          {target}: " + ", ".join(f"{counts[one]} {one.replace('_', ' ')}" for one in ACTIONS if counts[one]))
    return "\n".join(lines)


def _overruled(out: Path, target: str) -> list[str]:
    """Return how often people decided against a proposal, of all rows of this target that they decided on, and for owners with enough of them."""
    answers = standing_answers(feedback.load_answers(out, target))
    owners = overrides.override_rates_by_owner(answers, _owners(out, target, {one.run_id for one in answers}))
    told = [f"DECIDED   {target}: {_share(overrides.override_rate(answers))} against the proposal"]
    return told + [f"          {one_line(owner, 40)}: {_share(one)}" for owner, one in owners.items()]


def _share(rate: overrides.Rate) -> str:
    return f"{rate.against} of {rate.decided} ({rate.against / rate.decided:.0%})" if rate.decided else "0 of 0"


def _owners(out: Path, target: str, runs: set[str]) -> dict[overrides.Row, str]:
    """Return who owned each row of the lists of some runs when they were published."""
    found = {}
    for folder in sorted(path.parent for path in (out / "lists" / target).glob("*/manifest.json") if not path.parent.is_symlink()):
        if (run_id := _run_id(folder)) in runs:
            for row in kept.needed_rows(folder / "list.json", "customer_id", "owner", fix=AGAIN):
                found[run_id, row["customer_id"], row.get("product_id") or ""] = row["owner"] or ""
    return found
