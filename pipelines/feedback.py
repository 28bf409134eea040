"""Take what the team answered to the lists (``file=feedback.csv``), so that the next list honours it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from pipelines.audit_log import noted_each
from pipelines.run import Steps, say
from pipelines.run import main as run
from pipelines.settings import Settings
from prevenance import feedback
from prevenance.disk import writing
from prevenance.errors import PrevenanceError
from prevenance.feedback import ACTIONS, Answer
from prevenance.writers.publish import stamp, status
from prevenance.writers.wording import plural

Listed = dict[tuple[str, str], float | None]


def body(given: Settings, steps: Steps) -> None:
    """Read, check and keep the answers of one file: all of them, or none."""
    out, path = Path(given.out), Path(given.file or "")
    if not given.file or not path.is_file():
        what = f"there is no file at {path}" if given.file else "no file is given"
        raise PrevenanceError("E401", what, key="file", fix="set file=<feedback.csv as the page of a list downloads it>")
    steps("read the answers")
    with writing(path):
        content = path.read_bytes()
    read = feedback.read(content, path.name)
    lists = {(one.target, one.run_id, one.cutoff): _listed(out, one) for _, one in read}
    answers = feedback.matched(read, {key: rows for key, rows in lists.items() if rows is not None}, path.name)
    steps("keep the answers")
    targets = sorted({one.target for one in answers})
    taken = {target: feedback.append(out, target, [one for one in answers if one.target == target]) for target in targets}
    noted_each(given, "feedback", taken)
    steps("")
    say(_told(answers, taken))
    status(out, {"pipeline": "feedback", "outcome": "taken", "exit": 0, "read": len(answers), "taken": taken})


def _listed(out: Path, answer: Answer) -> Listed | None:
    """Return the chance of each row of the published list that an answer is about; ``None`` if there is no such list."""
    folder = out / "lists" / answer.target / f"{stamp(feedback.moment(answer.cutoff))}-{answer.run_id[:12]}"
    if not (folder / "list.json").is_file() or _run_id(folder) != answer.run_id:
        return None
    rows = json.loads((folder / "list.json").read_text(encoding="utf-8"))
    return {(row["customer_id"], row.get("product_id") or ""): row["score"] for row in rows}


def _run_id(folder: Path) -> str:
    return str(json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["run_id"])


def _told(answers: list[Answer], taken: dict[str, int]) -> str:
    """Return what was taken, counted; no customer and no text is told."""
    new = sum(taken.values())
    lines = [f"FEEDBACK  {plural(len(answers), 'answer')} read, {new} taken, {len(answers) - new} known already"]
    for target in taken:
        counts = Counter(one.action for one in answers if one.target == target)
        lines.append(f"          {target}: " + ", ".join(f"{counts[one]} {one.replace('_', ' ')}" for one in ACTIONS if counts[one]))
    return "\n".join([*lines, "NEXT      make score   # the next list honours them"])


def main() -> None:
    """Run the pipeline from the command line."""
    run("feedback", body)


if __name__ == "__main__":
    main()
