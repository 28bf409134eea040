"""The shadow's lists beside the champion's: agreement, what became of both, and a page that says met, not met or too early."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base import formats
from prevenance.base.days import local_day
from prevenance.judge.outcomes import DID_NOT, HAPPENED, outcomes_of_list
from prevenance.proof.watch.pilot import Criteria, pilot_verdict, within_pilot
from prevenance.proof.watch.verdict import refit_gain
from prevenance.proof.watch.wording import pilot_texts
from prevenance.publish.folders import write_files
from prevenance.publish.published import Published, published_lists
from prevenance.publish.template import render_template
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import target_of
from prevenance.targets.target import Target
from prevenance.words import words


def pilot_page(given: Settings, inputs: Inputs) -> dict[str, Any]:
    """Write ``pilot.html`` and ``pilot.json`` of one target below the shadow's folder and return the facts; the champion's folder is only read."""
    target, say = target_of(given), words(given.language, given.source.timezone)
    criteria = Criteria(given.pilot.weeks, given.pilot.lists, given.pilot.hits)
    champion = {one.cutoff: one for one in published_lists(given.folder.parent, target.name)}
    both = [(champion[one.cutoff], one) for one in published_lists(given.folder, target.name) if one.cutoff in champion]
    both = [pair for pair in both if pair[1].cutoff <= inputs.as_of]
    found = [_pair(inputs, target, *pair) for pair in both]
    pairs = pd.DataFrame([one for one, _ in found], columns=["cutoff", "listed", "same", "hits_champion", "hits_shadow"])
    pairs = within_pilot(pairs, criteria)
    rows = pd.concat([rows for one, rows in found if one["cutoff"] in set(pairs["cutoff"])] or [_NOBODY], ignore_index=True)
    label, old, new = (rows[name].to_numpy(dtype=float) for name in ("label", "old", "new"))
    gain = refit_gain(label, old, new, rows["customer_id"].tolist())
    facts = asdict(pilot_verdict(pairs, gain, criteria)) | {"target": target.name, "criteria": asdict(criteria)}
    page = render_template(
        "pilot.html.j2",
        style="watch.css",
        say=say,
        title=say("Shadow and champion"),
        target=target.name,
        date=say.date(local_day(inputs.as_of, given.source.timezone)),
        texts=pilot_texts(say, facts),
    )
    write_files(given.folder / "pilot" / target.name, {"pilot.html": page.encode(), "pilot.json": formats.canonical_json(facts)})
    return {"verdict": facts["kind"], "page": str(given.folder / "pilot" / target.name / "pilot.html")}


_NOBODY = pd.DataFrame({"customer_id": pd.Series(dtype="str"), "label": [], "old": [], "new": []})


def _pair(inputs: Inputs, target: Target, champion: Published, shadow: Published) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return what two lists of one cutoff have in common, with their hits where the window has closed, and the closed rows that both scored."""
    ids = {one for (one,) in inputs.history.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    sides = [one.rows[one.rows["customer_id"].isin(ids)].reset_index(drop=True) for one in (champion, shadow)]
    keys = [name for name in target.keys if name in sides[0] and name in sides[1]]
    ranked = [set(map(tuple, side.loc[side["rank"].notna(), keys].to_numpy().tolist())) for side in sides]
    told: dict[str, Any] = {"cutoff": shadow.cutoff, "listed": len(ranked[1]), "same": len(ranked[0] & ranked[1])}
    if target.closes(shadow.cutoff) > inputs.as_of:
        return told | {"hits_champion": np.nan, "hits_shadow": np.nan}, _NOBODY
    judged = [outcomes_of_list(inputs.history, target, side) for side in sides]
    hits = [int((one["rank"].notna() & (one["outcome"] == HAPPENED)).sum()) for one in judged]
    old, new = (one.loc[one["outcome"].isin([HAPPENED, DID_NOT]) & one["score"].notna(), [*keys, "outcome", "score"]] for one in judged)
    rows = old.merge(new, on=[*keys, "outcome"], suffixes=("_old", "_new"))
    rows = rows.assign(label=(rows["outcome"] == HAPPENED).astype(float)).rename(columns={"score_old": "old", "score_new": "new"})
    return told | {"hits_champion": hits[0], "hits_shadow": hits[1]}, rows[["customer_id", "label", "old", "new"]]
