"""What became of the published lists: each judged when its window closes, by the label function that trained it; published as a list is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

import pandas as pd

from prevenance.base import formats, kept
from prevenance.base.errors import PrevenanceError
from prevenance.decide.weeks import known_answers
from prevenance.proof import became
from prevenance.proof.became import Became
from prevenance.proof.listings import Shipped, judged_rows, known_share, ledger_of, once_a_month, with_months
from prevenance.proof.tally import outcome_tally, team_against_model
from prevenance.publish.published import published_lists
from prevenance.runs.commands import command
from prevenance.runs.inputs import Inputs, load_inputs, pseudonyms_of
from prevenance.runs.proven import Page, publish_proof
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps
from prevenance.targets.target import Target
from prevenance.track.report_log import Figure
from prevenance.words import Words

FEW_OPEN = 12
"""Open lists that a page shows, the newest."""


def judge_lists(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish ``<out>/outcomes/<cutoff>-<digest>/`` and return what the status file says of it.

    Raises:
        PrevenanceError: E401 where no list is published; E603, E801 from publishing.
    """
    chosen = [one for one in targets(given) if published_lists(given.folder, one.target.name)]
    if not chosen:
        raise PrevenanceError("E401", f"no list is published below {given.folder}/lists", key="out", fix=f"run {command('score')} first")
    inputs = load_inputs(given, steps)
    each, ledgers = list[Became](), list[pd.DataFrame]()
    for one in chosen:
        steps(f"{one.target.name}: judge its lists")
        found, ledger = what_became(one, inputs)
        each.append(found)
        ledgers.append(ledger)
    ledger, hidden = pd.concat(ledgers, ignore_index=True), pseudonyms_of(given)
    files = {
        "outcomes.csv": formats.csv_bytes(pd.concat([one.tally for one in each], ignore_index=True)),
        "ledger.csv": formats.csv_bytes(hidden.hidden(ledger) if hidden else ledger),
        "outcomes.json": formats.canonical_json({one.target: _facts(one) for one in each}),
    }
    return publish_proof(given, inputs, "outcomes", files, partial(_page_of, given, each), _figures(each), steps)


def what_became(given: Settings, inputs: Inputs) -> tuple[Became, pd.DataFrame]:
    """Return what became of one target's lists, and their ledger."""
    target, until = target_of(given), inputs.as_of
    hidden = {row[0] for row in inputs.history.con.execute("select customer_id from canonical._opted_out").fetchall()}
    lists, left_out = [], {"erased": 0, "opted_out": 0}
    for one in published_lists(given.folder, target.name):
        if one.cutoff > until:
            continue
        gone = one.rows["customer_id"].isin(hidden)
        left_out["erased"] += int(one.manifest.get("erased", 0))
        left_out["opted_out"] += int(gone.sum())
        policy = str((one.manifest.get("order") or {}).get("policy") or "")
        lists.append(Shipped(one.cutoff, one.manifest["run_id"], policy, one.rows[~gone]))
    answers = known_answers(given.folder, target.name, until, static=given.source.static)
    rows = with_months(judged_rows(inputs.history, target, lists, answers), given.source.timezone)
    replays = with_months(judged_rows(inputs.history, target, _replays(given, target, hidden, until), []), given.source.timezone)
    waiting = [one for one in lists if target.closes(one.cutoff) > until]
    maturity = [
        {
            "cutoff": one.cutoff,
            "closes": target.closes(one.cutoff),
            "listed": int(one.rows["rank"].notna().sum()),
            "known": known_share(rows, target, one.cutoff, until),
        }
        for one in waiting[-FEW_OPEN:]
    ]
    told = outcome_tally(replays, replays.iloc[:0])
    found = Became(
        target.name,
        target.words.title,
        outcome_tally(rows, once_a_month(rows)),
        team_against_model(rows),
        told[told["by"] == "list"].assign(by="replay"),
        pd.DataFrame(maturity, columns=["cutoff", "closes", "listed", "known"]),
        len(lists),
        len(lists) - len(waiting),
        min((target.closes(one.cutoff) for one in waiting), default=None),
        left_out,
    )
    return found, ledger_of(rows)


def _replays(given: Settings, target: Target, hidden: set[str], until: datetime) -> list[Shipped]:
    """Return the lists of replays whose window is closed."""
    found = []
    for path in sorted((given.folder / "replay" / target.name).glob("*/list.json")):
        told = kept.needed_rows(path, "customer_id", "cutoff", fix=kept.removed_folder(path.parent, f"run {command('replay')} again"))
        rows = pd.DataFrame([row for row in told if row["customer_id"] not in hidden])
        if len(rows):
            cutoff = datetime.fromisoformat(str(rows["cutoff"].iloc[0]).rstrip("Z"))
            ids = {name: "str" for name in ("customer_id", "product_id") if name in rows}
            found.append(Shipped(cutoff, str(rows["run_id"].iloc[0]), "", rows.astype(ids)))
    return [one for one in found if target.closes(one.cutoff) <= until]


def _facts(one: Became) -> dict[str, Any]:
    tables = {name: getattr(one, name).to_dict("records") for name in ("tally", "team", "replays", "maturity")}
    return {"lists": one.lists, "closed": one.closed, "next_closes": one.next_closes, "left_out": dict(one.left_out), **tables}


def _page_of(given: Settings, each: Sequence[Became], say: Words) -> Page:
    lead = became.lead_sentences(say, each)
    sections = became.became_sections(say, each, given.source.currency)
    return say("What became of the lists"), lead, became.note_sentences(say, each), sections


def _figures(each: Sequence[Became]) -> list[Figure]:
    """Return name, value and cutoff of what goes to the model store: a metric of each closed list, and of all."""
    found: list[Figure] = []
    for one in each:
        for row in one.tally[one.tally["by"].isin(["list", "all"])].to_dict("records"):
            moment = datetime.fromisoformat(row["name"]) if row["by"] == "list" else None
            found += [
                (f"{one.target}/{row['by']}/{key}", float(row[key]), moment) for key in ("hits", "missed", "outcomes", "proved_right")
            ]
    return found
