"""A list as people read it: the view that page, workbook, digest and index are made from.

A view may look at earlier published lists; what the list itself says never depends on it.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.base import disk, kept
from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import canonical_json, json_value
from prevenance.decide import movement
from prevenance.decide.overrides import override_rate
from prevenance.decide.ranking import shown_rows
from prevenance.decide.weeks import known_answers
from prevenance.explain import story
from prevenance.explain.change import PARTS, change_facts, change_parts
from prevenance.explain.details import Basis, details_by_customer
from prevenance.features.build import build, feature_columns
from prevenance.features.held import rows_of
from prevenance.models.bundle import Fitted
from prevenance.proof.watch.records import Warned
from prevenance.proof.watch.wording import warning_text
from prevenance.publish.folders import REPORTS
from prevenance.publish.published import Published, published_lists_before
from prevenance.runs import headline
from prevenance.runs.feeds import LATE
from prevenance.runs.inputs import Inputs
from prevenance.runs.listed import Listed
from prevenance.runs.measured import measured_share
from prevenance.runs.settings.outreach import capacity_of, cost_of, share_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import definitions_of, target_of
from prevenance.runs.steps import Steps
from prevenance.words import Words, words

CLOSEST = 3
"""Customers just below the line that the page names."""

HEAD = "view.json"
"""The view with the rows to be worked only, beside the list: what the index and the week are made from."""


def view_files(
    given: Settings, inputs: Inputs, made: Listed, fitted: Fitted, digest: str, manifest: Mapping[str, Any], steps: Steps
) -> dict[str, bytes]:
    """Return the files for people, to be published beside list.csv: list.html, list.xlsx, the digests and view.json.

    They do not change what is published already: see ``publish.VIEWS``.
    """
    steps(f"{given.target.name}: the page")
    return list_files(view_of(given, inputs, made, fitted, digest, manifest))


def list_files(view: dict[str, Any]) -> dict[str, bytes]:
    """Return the files for people of a view."""
    from prevenance.publish import digest as digests
    from prevenance.publish import page, workbook

    worked = [row for row in view["rows"] if row.get("rank") is not None]
    return {
        "list.html": _bytes(page.list_page(view)),
        "list.xlsx": workbook.workbook_bytes(view),
        **{name: _bytes(text) for name, text in digests.digest_texts(view).items()},
        HEAD: canonical_json(view | {"rows": worked}),
    }


def write_index(given: Settings) -> Path:
    """Write ``<out>/index.html`` in one step: the newest list of every target that has one, and the newest of each report. Returns its path."""
    from prevenance.publish import index

    out = given.folder
    heads = [one.parent / "latest" / HEAD for one in sorted((out / "lists").glob("*/latest"))]
    # A view that is damaged is made again by the next list; the index does without it.
    found = [one for path in heads if (one := kept.whole_json(path)) is not None and one.get("target")]
    told = {name: kept.whole_json(out / name / "latest" / "manifest.json") or {} for name in REPORTS}
    reports = [{**one["card"], "to": f"{name}/latest/report.html"} for name, one in told.items() if isinstance(one.get("card"), dict)]
    return disk.write(out / "index.html", _bytes(index.index_page(found, reports=reports)))


def view_of(given: Settings, inputs: Inputs, made: Listed, fitted: Fitted, digest: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the view of a list that was just made, in the types of JSON."""
    target, say, out = target_of(given), words(given.language, given.source.timezone), given.folder
    definitions, _ = definitions_of(given, inputs, fitted)
    basis = Basis(
        target, inputs.history, inputs.as_of, fitted, digest, definitions, made.ranked, made.inputs, made.run_id, manifest["data_until"]
    )
    earlier = published_lists_before(out, target.name, inputs.as_of)
    last = earlier[-1] if earlier else None
    ranked, measured = made.decided, measured_share(given, target.name, inputs.as_of)
    view = {
        **headline.list_facts(given, basis),
        "verb": say(target.words.verb),
        "model": {"version": digest[:12], "kind": fitted.kind},
        "scored_at": None,
        "no_model": _no_model(say, fitted.kind),
        "alerts": [
            {"table": gate.table, "facts": gate.facts, "without": LATE in inputs.counts[gate.table].excluded}
            | ({"text": warning_text(say, Warned(str(gate.facts["watch"]), gate.table, gate.facts))} if "watch" in gate.facts else {})
            for gate in inputs.gates
            if gate.outcome != "pass"
        ]
        + [
            {"table": one["about"], "facts": {}, "text": warning_text(say, Warned(**one))}
            for one in manifest.get("watch", {}).get("warned", [])
        ],
        "capacity": capacity_of(given),
        "unit": made.room.unit,
        "hours": headline.hours_totals(made.room, ranked),
        "owners": headline.owner_rows(made.room, ranked),
        "segments": headline.segment_rows(ranked, say),
        "week": manifest["week"],
        "used": made.used.to_dict("records"),
        "floor": headline.floor_facts(made, given.outreach.floor),
        "fits": headline.work_totals(ranked),
        "record": headline.list_record(given, target, inputs, earlier, headline.latest_report(out, target.name), say),
        "decided": asdict(override_rate(known_answers(out, target.name, inputs.as_of, static=given.source.static))),
        "moved": headline.moves_since(inputs, made, last, dict(manifest["counts"]["excluded"]), given.source.timezone),
        "sources": story.source_ages(inputs.history, inputs.as_of),
        "assumed": {"share": share_of(given) if measured is None else measured, "measured": measured is not None, "cost": cost_of(given)},
        "closest": ranked.loc[ranked["apart"] == "beyond_capacity", "customer_id"].head(CLOSEST).tolist(),
        "links": headline.page_links(out, target.name),
        "addresses": dict(given.source.links),
    }
    rows, messages = _rows(given, basis, ranked, made, last, say)
    unshown = ranked.loc[~shown_rows(ranked), "apart"].value_counts(sort=False)
    view |= {"rows": rows, "unshown": {place: int(unshown[place]) for place in sorted(unshown.index)}}
    view |= {"messages": [*manifest["messages"], *messages]}
    return dict(json_value(view))  # type: ignore[call-overload]


def _rows(
    given: Settings, basis: Basis, ranked: pd.DataFrame, made: Listed, last: Published | None, say: Words
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows that people are shown, in the order of the list, with what stands behind each; and messages."""
    keys = basis.target.keys
    shown = ranked[shown_rows(ranked)]
    asked = shown[[*keys, "score"]].merge(rows_of(basis.features, shown, keys), on=keys, how="left")
    changed, messages = changes_since(given, basis, asked, last, say) if last else ({}, [])
    told = details_by_customer(basis, asked, say, made.told, weeks=_weeks(made), changed=changed) if len(asked) else {}
    moves = {} if last is None else movement.rank_moves(ranked, last.rows)
    rows = []
    for row in shown.to_dict("records"):
        customer = row["customer_id"]
        behind = told[customer] | {"draft": row["draft"]} if customer in told else None
        rows.append({str(key): value for key, value in row.items()} | {"moved": moves.get(customer, ""), "details": behind})
    return rows, messages


def _weeks(made: Listed) -> dict[str, list[float | None]]:
    """Return customer_id -> the chances of twelve weeks, as the list decided by them."""
    values = made.weeks[[f"week_{number}" for number in range(story.SHOWN)]].astype(object)
    return dict(zip(made.weeks["customer_id"], values.where(values.notna(), None).to_numpy().tolist(), strict=True))


def _no_model(say: Words, kind: str) -> str:
    """Return why there is no model, where none made the list; ``listed.NO_MODEL`` says the same to the terminal and the manifest."""
    told = {
        "rule": say("Ranked by the simple rule: rules, no model"),
        "health_score": say("Ranked by your present health score, no model"),
    }
    return told.get(kind, "")


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="replace")


def changes_since(
    given: Settings, basis: Basis, asked: pd.DataFrame, last: Published, say: Words
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return customer_id -> ``changed`` of its row, and messages: what could not be compared, which is never a reason to have no list.

    Customers who were not on the last list, or have no chance, are absent.

    Args:
        given: the settings; models are kept in its output folder.
        basis: what the list stands on.
        asked: customer_id[, product_id], score and the model's inputs of the rows to tell about.
        last: the list before.
        say: the words of a language.
    """
    try:
        before, then = last.model(given.folder), last.inputs(given.privacy.key_file, basis.history)
    except PrevenanceError as problem:
        return {}, [f"what changed since {local_day(last.cutoff, given.source.timezone)} is not told: {problem.what}"]
    keys = basis.target.keys
    judged = asked[asked["score"].notna()].reset_index(drop=True)
    rows = _with_inputs(basis, judged, before)
    if absent := [name for name in before.encoder.features if name not in rows]:
        return {}, [
            f"what changed since {local_day(last.cutoff, given.source.timezone)} is not told: its model wants {absent[0]}, which the tables do not give"
        ]
    if rows.empty or not len(then):
        return {}, []
    now, earlier = rows.set_index(keys), rows_of(then, rows, keys).set_index(keys)
    parts = change_parts(basis.fitted, now, before, earlier)
    facts = change_facts(before, now, earlier, basis.definitions, say)
    found = {}
    for customer, told, why in zip(judged["customer_id"], parts[list(PARTS)].to_dict("records"), facts, strict=True):
        if pd.notna(told["points"]):
            found[customer] = {**{str(name): float(value) for name, value in told.items()}, "facts": [fact.text for fact in why]}
    return found, []


def _with_inputs(basis: Basis, rows: pd.DataFrame, model: Fitted) -> pd.DataFrame:
    """Return ``rows`` with the inputs that an earlier model wants and the present one does not, as far as the tables give them."""
    wanted = [name for name in model.encoder.features if name not in rows and name in feature_columns(basis.definitions)]
    if not wanted:
        return rows
    asked = rows[basis.target.keys].assign(cutoff=pd.Timestamp(basis.cutoff).as_unit("us"))
    return pd.concat([rows, build(basis.history, asked, basis.definitions)[wanted]], axis=1)
