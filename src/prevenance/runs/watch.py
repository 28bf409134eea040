"""Is it still right: what the lists said and what came, what is far from usual tonight, and whether training again would help."""

import hashlib
import math
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from prevenance.base import disk, formats
from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.decide.overrides import override_rate
from prevenance.decide.weeks import known_answers
from prevenance.history.digests import history_digest
from prevenance.judge.outcomes import outcome_counts, outcomes_of_list
from prevenance.models.bundle import Fitted, chance
from prevenance.proof.watch import events, page, verdict
from prevenance.proof.watch.notice import notice_of
from prevenance.proof.watch.wording import MODEL_KINDS, decision_text, table_name, warning_text
from prevenance.publish.finished import check_report_folder
from prevenance.publish.folders import publish_report
from prevenance.publish.published import published_lists
from prevenance.runs.acts import note_act
from prevenance.runs.champion import asked_source, champion_of, with_champion
from prevenance.runs.feeds import manifests_before, warned_events, warned_gates
from prevenance.runs.inputs import Inputs, load_inputs
from prevenance.runs.listed import NO_MODEL
from prevenance.runs.manifest import privacy_record
from prevenance.runs.replay import refit_champion
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import definitions_of, frame_of, target_of
from prevenance.runs.steps import Steps
from prevenance.runs.view import write_index
from prevenance.runs.watched import AT_RISK
from prevenance.targets.target import Target
from prevenance.words import Words, words
from prevenance.words.saying import said_in, saying

WEEKS = 52
"""Weeks of events that the page draws."""

COLUMNS = [
    *("target", "cutoff", "customers", "expected", "listed", "expected_hits", "spread", "closes", "outcomes", "hits", "warned", "model"),
]


def watch_report(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Publish ``<out>/watch/<cutoff>-<digest>/`` and ``<out>/notify/<date>.json``, and return what the status file says of it.

    Raises:
        PrevenanceError: E501 without any champion; E603, E801 from publishing.
    """
    inputs, out, say = load_inputs(given, steps), given.folder, words(given.language, given.source.timezone)
    steps("events")
    warned = warned_events(inputs.history, manifests_before(out))
    broken = list(dict.fromkeys(table_name(say, one.about) for one in warned))
    told = [watched_target(one, inputs, broken, steps) for one in with_champion(out, targets(given))]
    lists = pd.concat([one.pop("lists") for one in told], ignore_index=True).reindex(columns=COLUMNS)
    weeks = weekly_events(inputs, WEEKS)
    facts = {
        "cutoff": f"{inputs.as_of.isoformat()}Z",
        "source": given.source.name,
        "events": [asdict(one) for one in warned],
        "targets": told,
    }
    run_id = hashlib.sha256(
        formats.canonical_json({**facts, "language": given.language}) + history_digest(inputs.history, inputs.as_of).encode()
    ).hexdigest()
    date = local_day(inputs.as_of, given.source.timezone)
    title, texts = say("Is it still right?"), [warning_text(say, one) for one in warned]
    texts += [text for one in told for text in one["warnings"]]
    files = {
        "watch.csv": formats.csv_bytes(lists),
        "watch.json": formats.canonical_json(facts),
        "report.html": page.watch_page(say, given.source.name, date, run_id, texts, told, lists, weeks).encode(),
    }
    manifest = {"report": "watch", "run_id": run_id, "cutoff": facts["cutoff"], "source": given.source.name, "inputs": inputs.prints}
    lead = " ".join(f"{one['target']}: {one['says']}" for one in told)
    manifest["card"] = {"title": title, "lead": lead, "open": say("Open the report"), "language": say.language}
    manifest |= {"privacy": privacy_record(given), "messages": inputs.messages, "counts": {"lists": len(lists)}}
    steps("look at the inputs again")
    inputs.unchanged()
    steps("publish")
    folder = publish_report(out, "watch", inputs.as_of, files, manifest, check_report_folder)
    notice = notice_of(say, title, date, texts, told, f"{folder}/report.html")
    disk.write(out / "notify" / f"{date}.json", formats.canonical_json(notice))
    note_act(out, "watch", run_id=run_id)
    write_index(given)
    steps.tell(notice["mail"].rstrip())
    return {"outcome": "published", "report": str(folder), "run_id": run_id, "decisions": {one["target"]: one["decision"] for one in told}}


def watched_target(given: Settings, inputs: Inputs, broken: list[str], steps: Steps) -> dict[str, Any]:
    """Return one target's facts: its lists (a frame, ``COLUMNS``), warnings, decision, reasons, estimate or why there is none, agreement."""
    target, say, out = target_of(given), words(given.language, given.source.timezone), given.folder
    fitted, digest, _ = champion_of(out, target, inputs.as_of, asked_source(given), zone=given.source.timezone, at_the_time=True)
    steps(f"{target.name}: what came of the lists")
    lists, warnings = judged_lists(given, inputs, target, say)
    own = lists[lists["model"] == digest[:12]]
    record = verdict.list_record(own, target.horizon_days)
    # What an earlier model was warned of says nothing of this one.
    newest = own.tail(1) if len(own) and lists["model"].iloc[-1] == digest[:12] else own.iloc[:0]
    said = str(newest["warned"].iloc[0]).split() if len(newest) else []
    warnings, kinds = warnings if len(newest) else [], sorted(set(said) & set(MODEL_KINDS))
    gain, lacking = (
        (None, saying("no model is in use")) if fitted.kind in NO_MODEL else refit_evidence(given, inputs, target, fitted, steps)
    )
    age = (inputs.as_of - datetime.fromisoformat(fitted.about["trained_until"])).days
    decided = verdict.decision_on(verdict.Evidence(broken, kinds, record, age, gain, lacking))
    silence = verdict.estimate_silence(record, [*broken, *said])
    open_lists = own[own["hits"].isna()].tail(1)
    agreed = override_rate(known_answers(out, target.name, inputs.as_of, static=given.source.static))
    return {
        "target": target.name,
        "title": say(target.words.title),
        "lists": lists,
        "model": {"version": digest[:12], "kind": fitted.kind, "age_days": age},
        "warnings": warnings,
        "decision": decided.kind,
        "says": decision_text(say, decided.kind),
        "reasons": [said_in(say, one) for one in decided.reasons],
        "record": asdict(record),
        "gain": gain,
        "estimate": None if silence or open_lists.empty else float(open_lists["expected_hits"].iloc[0]),
        "silence": said_in(say, silence) if silence else "",
        "agreement": asdict(agreed),
    }


def judged_lists(given: Settings, inputs: Inputs, target: Target, say: Words) -> tuple[pd.DataFrame, list[str]]:
    """Return a row for each published list up to the cutoff with what came of it, and the warnings of the newest in words.

    Customers who have opted out or were erased since are not looked up; what is not closed yet is null.
    """
    rows, warnings, history = [], list[str](), inputs.history
    known = {one for (one,) in history.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    for one in published_lists(given.folder, target.name):
        if one.cutoff > inputs.as_of:
            continue
        listed = one.rows[one.rows["customer_id"].isin(known)].reset_index(drop=True)
        ranked = listed.loc[listed["rank"].notna(), "score"].dropna()
        found = [events.Warned(**each) for each in one.manifest.get("watch", {}).get("warned", [])]
        warnings = [warning_text(say, each) for each in found]
        row = {"target": target.name, "cutoff": one.cutoff, "customers": len(listed), "expected": round(float(listed["score"].sum()), 2)}
        row |= {
            "listed": len(ranked),
            "expected_hits": round(float(ranked.sum()), 2),
            "spread": round(float((ranked * (1 - ranked)).sum()), 4),
        }
        row |= {
            "closes": target.closes(one.cutoff),
            "model": one.manifest["model"]["version"],
            "warned": " ".join([*(each.kind for each in found), *warned_gates(one.manifest["gates"])]),
        }
        if target.closes(one.cutoff) <= inputs.as_of:
            counts = outcome_counts(outcomes_of_list(history, target, listed), target, history.until)
            row |= {"outcomes": counts["outcomes"], "hits": counts["hits"]}
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS), warnings


def refit_evidence(
    given: Settings, inputs: Inputs, target: Target, fitted: Fitted, steps: Steps
) -> tuple[dict[str, float | None] | None, str]:
    """Return what the champion's recipe, fitted again before the newest closed window, gains on that window; or None and why not."""
    then = inputs.as_of - timedelta(days=target.horizon_days + target.settle_days)
    trained = datetime.fromisoformat(fitted.about["trained_until"])
    if trained >= then:
        first = local_day(trained + timedelta(days=target.horizon_days + target.settle_days + 1), given.source.timezone)
        return None, saying("the first period after its training closes on {date}.", date=words(given.language).date(first))
    try:
        past = replace(given, as_of=f"{then.isoformat()}+00:00")
        again, _, _ = refit_champion(past, target, fitted, load_inputs(past, steps), steps)
        definitions, _ = definitions_of(given, inputs, fitted)
        rows = frame_of(inputs, target, [then], definitions, steps)
    except PrevenanceError as problem:
        return None, saying("{what}", what=problem.what)
    rows = rows[(rows["state"] == AT_RISK) & rows["label"].notna()].reset_index(drop=True)
    if rows.empty or any(name not in rows for name in again.encoder.features):
        return None, saying("nobody was at risk in the newest closed period.")
    old, new = chance(fitted, rows), chance(again, rows)
    return verdict.refit_gain(rows["label"].to_numpy(dtype=float), old, new, rows["customer_id"].tolist()), ""


def weekly_events(inputs: Inputs, weeks: int) -> dict[str, list[tuple[datetime, int]]]:
    """Return table -> (end of a week, its events as known then), oldest first, as far as the table goes back."""
    found = {}
    for name in events.LOGS:
        if name not in inputs.history.tables:
            continue
        one = events.table_events(inputs.history, name, inputs.as_of)
        count = min(weeks, math.floor(one.known_days / 7))
        before = [7 * place for place in reversed(range(count))]
        if before:
            ends = [inputs.as_of - timedelta(days=days) for days in before]
            found[name] = list(zip(ends, one.window(7, before).tolist(), strict=True))
    return found
