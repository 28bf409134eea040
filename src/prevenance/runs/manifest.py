"""What a published list says of itself: where it comes from, and that nobody was lost on the way."""

from dataclasses import asdict
from typing import Any

from prevenance.base import formats
from prevenance.consent.pseudonyms import Pseudonyms
from prevenance.decide.ranking import rows_apart, shown_rows
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.proof.watch.events import segment_sizes
from prevenance.runs.headline import week_facts
from prevenance.runs.inputs import Inputs, pseudonyms_of
from prevenance.runs.listed import Listed
from prevenance.runs.settings.schema import Settings
from prevenance.sources.taken import Counts
from prevenance.tables.canonical import TABLES
from prevenance.targets.target import Target


def quarantine_files(inputs: Inputs, hidden: Pseudonyms | None = None) -> dict[str, bytes]:
    """Return a CSV per table with quarantined rows: _file, _line, reason and the row's key (with pseudonyms, if any), no free text."""
    files = {}
    for name in inputs.counts:
        keys = [column.name for column in TABLES[name].columns if column.kind == "id"]
        found = inputs.history.con.execute(f"select * from quarantine.{name} order by all").df()
        if len(found):
            rows = found[[column for column in ("_file", "_line", "reason", *keys) if column in found.columns]]
            files[name] = formats.csv_bytes(hidden.hidden(rows) if hidden else rows)
    return files


def manifest_of(
    given: Settings, inputs: Inputs, target: Target, fitted: Fitted, model_digest: str, made: Listed, messages: list[str]
) -> dict[str, Any]:
    """Return the manifest, with the conservation law counted out: customers read are listed, excluded or quarantined, each by a reason."""
    known = inputs.history.con.execute("select count(distinct customer_id) from canonical.customers").fetchall()[0][0]
    listed, cohort = len(made.ranked), made.cohort["customer_id"].nunique()
    excluded = {reason: inputs.customers[reason] for reason in ("opted_out", "erased", "after_as_of") if inputs.customers.get(reason)}
    quarantine = {key.removeprefix("quarantined "): n for key, n in inputs.customers.items() if key.startswith("quarantined ")}
    excluded |= made.absent | ({"not_in_cohort": known - cohort} if known > cohort else {})
    lost = inputs.customers["read"] - listed - sum(excluded.values()) - sum(quarantine.values())
    counts = {"customers_read": inputs.customers["read"], "listed": listed, "apart": rows_apart(made.decided)}
    counts |= {"shown": shown} if (shown := int(shown_rows(made.decided).sum())) < listed else {}
    return {
        "target": target.name,
        "cutoff": f"{inputs.as_of.isoformat()}Z",
        "run_id": made.run_id,
        "data_until": f"{made.until.isoformat()}Z",
        "model": {"version": model_digest[:12], "kind": fitted.kind, "digest": model_digest, "key_id": bundle.key_id()},
        "week": week_facts(made, inputs.as_of, given.source.timezone),
        "order": {"policy": given.outreach.policy, "floor": made.floor.chance or None, "base_rate": made.floor.base},
        "counts": counts | {"excluded": excluded, "quarantined": quarantine},
        "tables": {name: asdict(one) for name, one in inputs.counts.items()},
        "inputs": inputs.prints,
        "gates": {one.name: one.outcome for one in inputs.gates}
        | {"conservation": "pass" if lost == 0 and all(is_balanced(one) for one in inputs.counts.values()) else "fail"}
        | {"inputs_unchanged": "pass", "finished_files": "pass"},  # what fails these two is never published
        "watch": {"segments": segment_sizes(inputs.history, inputs.as_of)},
        "privacy": privacy_record(given),
        "messages": messages,
    }


def privacy_record(given: Settings) -> dict[str, Any]:
    """Return the privacy settings as a manifest tells them: the id of the key of pseudonyms, if they are in use, and not where it is."""
    hidden = pseudonyms_of(given)
    told = {key: value for key, value in asdict(given.privacy).items() if key != "key_file"}
    return told | ({"key_id": hidden.key_id} if hidden else {})


def is_balanced(counts: Counts) -> bool:
    """Return whether a table's rows add up: raw = reached + dropped of each file, and read = used + excluded + quarantined."""
    whole = counts.read == counts.used + sum(counts.excluded.values()) + sum(counts.quarantined.values())
    return whole and all(one.balanced for one in counts.files.values())
