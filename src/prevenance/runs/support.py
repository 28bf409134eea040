"""The report of support: tickets as a process, where their days go, and the KPIs; published as a list is."""

import hashlib
from dataclasses import asdict
from typing import Any

import pandas as pd

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError
from prevenance.history.history import visible_sql
from prevenance.publish.finished import check_report_folder
from prevenance.publish.folders import publish_report
from prevenance.publish.template import style_text
from prevenance.runs.acts import note_act
from prevenance.runs.inputs import Inputs, load_inputs, pseudonyms_of
from prevenance.runs.manifest import privacy_record
from prevenance.runs.settings.asked import asked_of, check_kept
from prevenance.runs.settings.outreach import peace_of, room_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.runs.support_past import customers_behind, earlier_promises, keep_promises
from prevenance.runs.view import write_index
from prevenance.sources.files import sql_name
from prevenance.support import notes, page
from prevenance.support.facts import Facts, support_facts
from prevenance.support.pictures import standalone_svg
from prevenance.support.saved import findings_record
from prevenance.support.terminal import report_text
from prevenance.support.trouble import suggestions
from prevenance.tables.canonical import TABLES
from prevenance.track.report_log import kpi_figures, log_figures
from prevenance.words import Words, words

TELLING = 2
"""How a report tells what it knows: told another way it is another report, and stands beside the one of before."""


def support_report(given: Settings, steps: Steps) -> dict[str, Any]:
    """Publish ``<out>/support/<cutoff>-<digest>/`` and return what the status file says of it.

    Raises:
        PrevenanceError: E201 for a step to keep that the log has not, E401 for a source without a table of tickets, E304 where no ticket is known at the
            cutoff; E603, E801 from publishing.
    """
    inputs = load_inputs(given, steps, whole=True)
    rows = _visible_rows(given, inputs)
    say, asked = words(given.language, given.source.timezone), asked_of(given, inputs.as_of)
    steps("tickets as a process")
    earlier, damaged = earlier_promises(given.folder, inputs.as_of)
    behind = customers_behind(given, inputs)
    facts = support_facts(inputs.history, asked, behind, earlier)
    check_kept(asked.keep, set(facts.nodes["step"]))
    listed, left_out = suggestions(inputs.history, inputs.as_of, facts.losses.trouble, room_of(given), peace_of(given))
    told = (sorted(behind.revenue.items()), sorted(behind.chance.items()), earlier, facts.losses.trouble, listed.to_csv(index=False))
    run_id = hashlib.sha256(repr((TELLING, given.source.name, given.language, asked, rows, *told)).encode()).hexdigest()
    steps("the report")
    files = report_files(given, say, facts, run_id, listed)
    manifest = _manifest(given, inputs, facts, run_id, say) | {"suggestions": {"listed": len(listed), "left_out": left_out}}
    steps("look at the inputs again")
    inputs.unchanged()
    steps("publish")
    folder = publish_report(given.folder, "support", inputs.as_of, files, manifest, check_report_folder)
    keep_promises(given.folder, inputs.as_of, facts.losses.promises)
    note_act(given.folder, "support", run_id=run_id)
    steps("the model store", checked=False)
    messages = log_figures(given.folder, "support", kpi_figures(facts.kpis), run_id, manifest)
    write_index(given)
    steps.tell(report_text(facts, folder, len(listed)))
    for message in [*manifest["messages"], *damaged, *messages]:
        steps.tell(f"NOTE      {message}")
    return {
        "outcome": "published",
        "report": str(folder),
        "run_id": run_id,
        "tickets": facts.counts.tickets,
        "messages": [*damaged, *messages],
    }


def _visible_rows(given: Settings, inputs: Inputs) -> tuple[int, str]:
    """Return how many rows of tickets are visible at the cutoff and a hash of them, independent of their order."""
    if "tickets" not in inputs.history.tables:
        what = f'the source "{given.source.name}" has no table of tickets, so there is no process to look at'
        fix = f"write source/{given.source.name}/tickets.sql, or choose a source that has one, such as source=demo out=out-demo"
        raise PrevenanceError("E401", what, table="tickets", fix=fix)
    columns = ", ".join(sql_name(column) for column in TABLES["tickets"].names)
    visible = visible_sql("tickets", inputs.as_of, apart=True)
    rows, total = inputs.history.con.execute(f"select count(*), coalesce(sum(hash({columns})::hugeint), 0) from {visible}").fetchall()[0]
    if not rows:
        newest = inputs.history.con.execute("select max(known_at) from canonical.tickets").fetchall()[0][0]
        fix = "give a later as_of" if newest is None else f"give a later date, such as as_of={newest:%Y-%m-%dT%H:%M:%S}Z"
        if not inputs.counts["tickets"].read:
            fix = "export the tickets again: their file has no row"
        what = f"no ticket is known at {formats.date_text(inputs.as_of, given.source.timezone)}"
        raise PrevenanceError("E304", what, table="tickets", fix=fix)
    return rows, str(total)


def report_files(given: Settings, say: Words, facts: Facts, run_id: str, listed: pd.DataFrame) -> dict[str, bytes]:
    """Return the files of a report, ``listed`` whom to tell of known trouble; ids of customers are pseudonyms where the settings ask for them."""
    hidden = pseudonyms_of(given)
    stamp = {
        "date": say.date(facts.asked.cutoff),
        "source": given.source.name,
        "run": say("Run {run} · as of {cutoff}", run=run_id[:12], cutoff=formats.date_text(facts.asked.cutoff, given.source.timezone)),
    }
    variants = facts.variants.assign(steps=[" → ".join(one) for one in facts.variants["steps"]])
    return {
        "report.html": page.report_page(say, facts, stamp, len(listed)).encode(),
        "map.svg": standalone_svg(page.map_picture(say, facts), style_text("support.css")).encode(),
        "findings.json": formats.canonical_json(findings_record(facts)),
        "suggestions.csv": formats.csv_bytes(hidden.hidden(listed.drop(columns="name")) if hidden else listed),
        "kpis.csv": formats.csv_bytes(facts.kpis),
        "map.csv": formats.csv_bytes(facts.edges),
        "variants.csv": formats.csv_bytes(variants),
        "paths.parquet": formats.parquet_bytes(hidden.hidden(facts.paths) if hidden else facts.paths),
    }


def _manifest(given: Settings, inputs: Inputs, facts: Facts, run_id: str, say: Words) -> dict[str, Any]:
    counts = inputs.counts["tickets"]
    return {
        "report": "support",
        "source": given.source.name,
        "cutoff": f"{inputs.as_of.isoformat()}Z",
        "run_id": run_id,
        "data_until": f"{facts.counts.last.isoformat()}Z" if facts.counts.last else None,
        "counts": {
            "tickets": facts.counts.tickets,
            "resolved": facts.counts.resolved,
            "unresolved": facts.counts.unresolved,
            "end_before_start": facts.counts.end_before_start,
            "variants": facts.variants_in_all,
        },
        "tables": {"tickets": asdict(counts)},
        "inputs": inputs.prints,
        "cut_off": asdict(facts.cut) if facts.cut else None,
        "cannot_be_told": facts.missing,
        "card": {
            "title": say("Where the days go"),
            "lead": " ".join(notes.lead_sentences(say, facts)),
            "open": say("Open the report"),
            "language": say.language,
        },
        "privacy": privacy_record(given),
        "messages": [*inputs.messages, *(gate.says for gate in inputs.gates if gate.outcome != "pass")],
    }
