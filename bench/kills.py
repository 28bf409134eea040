"""Kill, fail and collide: every state-changing call of a night's publishing, one after the other.

    python -m bench.kills [--every 1] [--errors] [--whole 10] [--starts 50]

The night is the real command with a list that was made once: lock, publish with the finished files read back, audit log, model store, index and status. Killed
before each call that changes something below the output folder, it must leave the old list or the new one whole, and the same night once more must give what
an undisturbed one gives. With ``--errors`` each of these calls fails instead (disk full, broken, read-only); with ``--whole`` nights are made from their
inputs and killed at calls spread over all of them; with ``--starts`` two begin at the same instant.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bench.nightly import COMPANY, Ended, command, forked, logged, points, restored, tree, unfinished, whole
from prevenance.base import disk
from prevenance.privacy import trail

FIRST, SECOND = "as_of=2026-09-29", "as_of=2026-09-30"
PUBLISHED = ("churn", "week")
KILL = "signal=KILL"
ERRORS = ("error=ENOSPC", "error=EIO", "error=EROFS")
"""What is done to a call; errors take turns."""


@dataclass
class Stage:
    """A folder with one published night (``kept``), the lists of the next (``made``), and what the folder is after it (``after``)."""

    out: Path
    kept: Path
    made: Path
    settings: Any = None
    after: dict[str, bytes] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    old: str = ""
    new: str = ""

    def night(self, wait: int | None = None, held: int | None = None) -> int:
        """Publish the list that was made, by the real command but for the reading and the thinking.

        With the two ends of a pipe it waits, holding the lock, until no other process has the pipe open for writing.
        """
        from pipelines.start import run
        from prevenance.publish import finished
        from prevenance.publish.folders import publish_list
        from prevenance.runs import night
        from prevenance.runs.inputs import prepare_out

        told = {name: json.loads((self.made / name / "manifest.json").read_text(encoding="utf-8")) for name in PUBLISHED}
        files = {name: disk.contents(self.made / name) for name in PUBLISHED}
        for name in PUBLISHED:
            told[name].pop("files"), files[name].pop("manifest.json")
        cutoff = datetime.fromisoformat(told["churn"]["cutoff"].rstrip("Z"))

        def published(name: str) -> dict[str, Any]:
            folder = publish_list(self.out, name, cutoff, files[name], told[name], finished.check_list_folder)
            return {"list": str(folder), "run_id": told[name]["run_id"]}

        run.settings_of = lambda name, overrides: self.settings  # composed once: most of what such a short night costs

        def load(given: Any, *_: Any, **__: Any) -> SimpleNamespace:
            prepare_out(given)
            if wait is not None and held is not None:
                os.close(held)
                os.read(wait, 1)
            return SimpleNamespace(as_of=cutoff, gates=[])

        night.plan_lists = lambda *_: {}  # type: ignore[assignment]
        night.load_inputs, night.publish_target = load, lambda *_, **__: ("", published("churn"))  # type: ignore[assignment]
        night.publish_week = lambda *_: published("week") | dict.fromkeys(("worked", "listed"), 0) | {"lists": []}
        return command("score", [f"out={self.out}", "target=churn", SECOND])

    def keep(self) -> None:
        """Remember what the newest night published."""
        for name in PUBLISHED:
            restored((self.out / "lists" / name / "latest").resolve(), self.made / name)

    def scored(self) -> int:
        """Make and publish the list of the second night by the real command."""
        return command("score", [f"out={self.out}", "target=churn", SECOND])


def staged(folder: Path) -> Stage:
    """Train, publish the first night, and make the second in a copy."""
    stage = Stage(folder / "out", folder / "kept", folder / "made")
    for body in (
        partial(command, "train", [*COMPANY, f"out={stage.out}", FIRST]),
        partial(command, "score", [f"out={stage.out}", "target=churn", FIRST]),
    ):
        _fine(forked(body)[0])
    restored(stage.out, stage.kept)
    stage.old = str(whole(stage.out))
    _fine(forked(stage.scored)[0])
    stage.keep()
    return ready(stage)


def ready(stage: Stage) -> Stage:
    """Compose the settings of the second night."""
    from pipelines.start.compose import settings_of, with_remembered

    stage.settings = settings_of("score", with_remembered("score", [f"out={stage.out}", "target=churn", SECOND]))
    return stage


def undisturbed(stage: Stage, body: Any) -> tuple[Ended, list[tuple[str, int, str]]]:
    """Run the night below strace without harm, and remember what it leaves."""
    restored(stage.kept, stage.out)
    ended = _fine(forked(body, inject="")[0])
    stage.after, stage.runs, stage.new = tree(stage.out), logged(stage.out), str(whole(stage.out))
    return ended, points(ended.calls, stage.out)


def _fine(ended: Ended) -> Ended:
    if ended.status:
        raise SystemExit(f"an undisturbed command ended with {ended.status}: {ended.said}")
    return ended


def hurt(stage: Stage, body: Any, call: str, number: int, harm: str) -> tuple[Ended, list[str]]:
    """Hurt the night at one call, run it again undisturbed, and return how it ended and what is wrong afterwards."""
    restored(stage.kept, stage.out)
    ended, wrong = forked(body, inject=f"{call}:{harm}:when={number}")[0], []
    found = whole(stage.out)
    if found not in (stage.old, stage.new):
        wrong.append(f"broken list ({found})")
    if "Traceback" in ended.said or "E101" in ended.said:
        wrong.append(f"a traceback or bug instead of a message: {ended.said}")
    again = forked(body)[0]
    if again.status:
        wrong.append(f"the next run ends with {again.status}: {again.said.strip()}")
    after = tree(stage.out)
    if other := sorted(name for name in after.keys() | stage.after.keys() if after.get(name) != stage.after.get(name)):
        wrong.append(f"unequal after the rerun: {', '.join(other[:5])}")
    if logged(stage.out) != stage.runs:
        wrong.append("the model store has other runs")
    if left := unfinished(stage.out):
        wrong.append(f"left over: {', '.join(left[:5])}")
    if not any(one["what"] == "score" and one.get("target") == "churn" for one in trail.verified_lines(stage.out)[2:]):
        wrong.append("no line in the audit log")
    return ended, wrong


def sweep(stage: Stage, body: Any, harms: tuple[str, ...], every: int = 1, most: int | None = None) -> dict[str, Any]:
    """Hurt a night at every call (every ``every``-th, at most ``most`` spread evenly); return counts and what went wrong."""
    _, found = undisturbed(stage, body)
    step = max(every, -(-len(found) // most) if most else 1)
    chosen = found[::step]
    ends: Counter[str] = Counter()
    wrong: list[str] = []
    silent: Counter[str] = Counter()
    thin = step > 1
    asked = [(point, harm) for place, point in enumerate(chosen) for harm in ((harms[place % len(harms)],) if thin else harms)]
    for place, ((call, number, rest), harm) in enumerate(asked):
        where = rest.replace(str(stage.out), "out")[:110]
        ended, problems = hurt(stage, body, call, number, harm)
        ends[str(ended.status)] += 1
        if harm == KILL and ended.status != -9:
            problems.append(f"was not killed but ended with {ended.status}")
        if harm != KILL and ended.status == 0:
            silent[f"{call} {where[:60]}"] += 1
        elif harm != KILL and (ended.status != 8 or not ended.said.startswith("ERROR E801 path=") or ended.said.count("\n") != 1):
            problems.append(f"ended with {ended.status}: {ended.said[:200]!r}")
        wrong += [f"{harm} at {call} {number} ({where}): {problem}" for problem in problems]
        print(place + 1, len(asked), harm, call, number, ended.status, *problems, file=sys.stderr, flush=True)
    kinds = Counter(call for call, _, _ in chosen)
    return {
        "calls": len(found),
        "hurt": sum(ends.values()),
        "kinds": dict(kinds),
        "ends": dict(ends),
        "wrong": wrong,
        "went on": dict(silent),
    }


def starts(stage: Stage, times: int, body: Any, *, together: bool = False) -> dict[str, Any]:
    """Begin the same night twice at the same instant: one publishes, the other ends with 7 naming it.

    ``together``: the one that holds the lock goes on when the other has ended, so that a short body cannot be over too early.
    """
    wrong, ends = [], Counter[str]()
    for _ in range(times):
        restored(stage.kept, stage.out)
        if together:
            wait, held = os.pipe()
            both = forked(*(2 * [partial(body, wait, held)]), only_theirs=[held])
            os.close(wait)
        else:
            both = forked(body, body)
        ends[" ".join(sorted(str(one.status) for one in both))] += 1
        second = next((one for one in both if one.status == 7), None)
        if second is None or "E701" not in second.said or "holds the lock lists" not in second.said:
            wrong.append(f"ends {[one.status for one in both]}: {[one.said for one in both]}")
        if whole(stage.out) != stage.new or tree(stage.out) != stage.after or unfinished(stage.out):
            wrong.append("another folder than after one start")
    return {"times": times, "ends": dict(ends), "wrong": wrong}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--every", type=int, default=1, help="every n-th call")
    asked.add_argument("--errors", action="store_true", help="each call fails instead of the process being killed")
    asked.add_argument("--whole", type=int, default=0, help="kills of nights made from their inputs")
    asked.add_argument("--starts", type=int, default=0, help="times that two begin at once")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stage = staged(Path(folder))
        told: dict[str, Any]
        if given.starts:
            undisturbed(stage, stage.scored)
            told = starts(stage, given.starts, stage.scored)
        elif given.whole:
            told = sweep(stage, stage.scored, (KILL,), most=given.whole)
        else:
            told = sweep(stage, stage.night, ERRORS if given.errors else (KILL,), given.every)
        print(json.dumps(told, indent=1))
        sys.exit(1 if told["wrong"] else 0)


if __name__ == "__main__":
    main()
