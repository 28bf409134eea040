"""A replayed list told to people: on the terminal, and ``replay.html``, one self-contained page without scripts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.judge.replayed import ITEMS
from prevenance.publish.template import render_template
from prevenance.publish.wording import DASH, date_text, day_text, is_known, one_line
from prevenance.words import Words, words
from prevenance.words.chances import chance_text
from prevenance.words.saying import said_in

Summary = Mapping[str, Any]


LATER = "the kind of model and its settings were chosen later than this date, its coefficients were not"
OUTCOMES = {"happened": "happened", "did not": "did not", "not known yet": "not known yet", "too late": "too late"}
"""What came, as the files name it -> as people read it."""
ENGLISH = words("en")


def replay_text(rows: pd.DataFrame, summary: Summary, folder: Path, *, shown: int = 10) -> str:
    """Return what a replay prints: the verdict, the first rows, and the missed in the order of the list."""
    title = f"REPLAY    {one_line(summary['target'])} · {summary['date']} · judged by what was known on {date_text(summary['judged_at'], summary.get('timezone') or '')}"
    lines = [title, one_line(summary["verdict"], 400), f"MODEL     {one_line(summary['model']['why'], 200)}; {LATER}"]
    numbered, zone = _numbered(rows), str(summary.get("timezone") or "")
    listed, missed = numbered[numbered["rank"].notna()], numbered[numbered["missed"]]
    for what, part in (("LISTED", listed), ("MISSED", missed)):
        if len(part):
            lines.append(f"{what:<10}{'customer':<16}{'chance':<24}{'what came':<16}{'on':<12}{'warning':>8}  why")
        lines += [_row(one, zone) for one in part.head(shown).to_dict("records")]
        lines += [f"          and {len(part) - shown} more"] if len(part) > shown else []
    return "\n".join([*lines, f"FILES     {folder}/  list.csv  list.json  replay.html  summary.json"])


def check_text(target: str, periods: Sequence[Mapping[str, Any]]) -> str:
    """Return the replays of the test cutoffs beside what the training claims of them, and what makes the difference (see ``judge.replayed``)."""
    lines = [f"CHECK     {one_line(target)} · {len(periods)} test cutoffs replayed, beside what the training report claims"]
    lines.append(
        f"{'cutoff':<14}{'contacts':>10}{'replayed':>10}{'in both':>10}{'hits':>10}{'replayed':>10}  what makes the difference of the hits"
    )
    total: dict[str, int] = {}
    for one in periods:
        for name, hits in one["items"].items():
            total[name] = total.get(name, 0) + hits
        lines.append(_check_row(date_text(one["cutoff"]), one, one["items"]))
    sums = {key: {side: sum(one[key][side] for one in periods) for side in ("claimed", "replayed")} for key in ("contacts", "hits")}
    lines.append(_check_row("total", {**sums, "same": sum(one["same"] for one in periods)}, total))
    return "\n".join(lines)


def _check_row(head: str, one: Mapping[str, Any], items: Mapping[str, int]) -> str:
    counted = "".join(f"{one[key][side]:>10}" if key != "same" else f"{one['same']:>10}" for key, side in _CHECKED)
    return f"{head:<14}{counted}  " + ("; ".join(f"{hits:+d} {ITEMS.get(name, name)}" for name, hits in items.items()) or "none")


_CHECKED = (("contacts", "claimed"), ("contacts", "replayed"), ("same", ""), ("hits", "claimed"), ("hits", "replayed"))


def replay_page(rows: pd.DataFrame, summary: Summary, say: Words = ENGLISH) -> str:
    """Return ``replay.html`` for a judged list and what it adds up to; every text is escaped."""
    numbered, zone = _numbered(rows), str(summary.get("timezone") or "")
    parts = [
        (say("Listed"), say("The customers whom the list would have given, best first."), numbered[numbered["rank"].notna()]),
        (
            say("Missed"),
            say("They had the outcome and were not among those listed; the number is their place."),
            numbered[numbered["missed"]],
        ),
    ]
    tables = [(title, about, [_cells(one, zone, say) for one in part.to_dict("records")]) for title, about, part in parts]
    return render_template(
        "replay.html.j2", summary=summary, tables=tables, why=said_in(say, summary["model"]["why"]), later=say(LATER), say=say
    )


def _numbered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(place=range(1, len(rows) + 1))


def _cells(row: Mapping[Any, Any], zone: str, say: Words = ENGLISH) -> dict[str, Any]:
    """Return a row's cells as a page or a terminal shows them."""
    warned, outcome = row["days_of_warning"], str(row["outcome"])
    return {
        "place": say.number(row["place"]),
        "customer": one_line(row["customer_id"], 60),
        "name": one_line(row["name"], 80) if isinstance(row["name"], str) else DASH,
        "chance": chance_text(say, row["score"]) if is_known(row["score"]) else say("not enough data"),
        "outcome": say(OUTCOMES.get(outcome, outcome)),
        "came": outcome in ("happened", "too late") and not pd.isna(row["outcome_at"]),
        "on": DASH if pd.isna(row["outcome_at"]) else day_text(row["outcome_at"], zone, say=say),
        "warning": say("{n} d", n=round(warned)) if is_known(warned) else DASH,
        "reasons": one_line(row["reasons"], 200) if isinstance(row["reasons"], str) else "",
    }


def _row(row: Mapping[Any, Any], zone: str) -> str:
    told = _cells(row, zone)
    head = f"{told['place']:>8}  {told['customer'][:15]:<16}{told['chance']:<24}{told['outcome']:<16}{told['on']:<12}{told['warning']:>8}"
    return f"{head}  {one_line(told['reasons'], 110)}".rstrip()
