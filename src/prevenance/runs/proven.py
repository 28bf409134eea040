"""A report of the proof is published as a list is: its page, its files, its card on the index, its figures in the model store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from prevenance.base import formats
from prevenance.proof.page import Section, proof_page
from prevenance.publish.finished import check_report_folder
from prevenance.publish.folders import publish_report
from prevenance.runs.acts import note_act
from prevenance.runs.inputs import Inputs
from prevenance.runs.manifest import privacy_record
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.runs.view import write_index
from prevenance.track.report_log import Figure, log_figures
from prevenance.words import Words, words

Page = tuple[str, list[str], list[str], list[Section]]
"""Title, first sentences, notes and sections."""


def publish_proof(
    given: Settings,
    inputs: Inputs,
    name: str,
    files: dict[str, bytes],
    page_of: Callable[[Words], Page],
    figures: list[Figure],
    steps: Steps,
) -> dict[str, Any]:
    """Publish a report of this room with its page (``page_of`` tells it in a language), note it, log its figures, and return what the status file says of it."""
    say = words(given.language, given.source.timezone)
    title, lead, notes, sections = page_of(say)
    # What a file holds is what the report depends on: later rows that change nothing of it make no new report.
    told = (
        name,
        given.source.name,
        given.language,
        inputs.as_of,
        sorted((key, hashlib.sha256(one).digest()) for key, one in files.items()),
    )
    run_id, cutoff = hashlib.sha256(repr(told).encode()).hexdigest(), formats.date_text(inputs.as_of, given.source.timezone)
    run = say("Run {run} · as of {cutoff}", run=run_id[:12], cutoff=cutoff)
    stamp = {"date": say.date(inputs.as_of), "source": given.source.name, "run": run}
    files["report.html"] = proof_page(say, title, stamp, lead, notes, sections).encode()
    manifest = {
        "report": name,
        "source": given.source.name,
        "cutoff": f"{inputs.as_of.isoformat()}Z",
        "run_id": run_id,
        "counts": {"files": len(files)},
        "inputs": inputs.prints,
        "card": {"title": title, "lead": " ".join(lead), "open": say("Open the report"), "language": say.language},
        "privacy": privacy_record(given),
        "messages": inputs.messages,
    }
    steps("look at the inputs again")
    inputs.unchanged()
    steps("publish")
    folder = publish_report(given.folder, name, inputs.as_of, files, manifest, check_report_folder)
    note_act(given.folder, name, run_id=run_id)
    steps("the model store", checked=False)
    messages = log_figures(given.folder, name, figures, run_id, manifest)
    write_index(given)
    _, lead, notes, _ = page_of(words("en", given.source.timezone))  # a screen is told in English by all commands
    for text in [*lead, *notes]:
        steps.tell(f"{name.upper():<10} {text}")
    steps.tell(f"FILES     {folder}/  {'  '.join(sorted(files))}")
    for message in messages:
        steps.tell(f"NOTE      {message}")
    return {"outcome": "published", "report": str(folder), "run_id": run_id, "messages": messages}
