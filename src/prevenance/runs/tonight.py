"""One target's list: the champion, tonight's snapshots, the same ``build`` as training, one atomic flip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prevenance.base import formats
from prevenance.publish import finished, summary
from prevenance.publish.folders import publish_list
from prevenance.runs.champion import asked_source, champion_of
from prevenance.runs.inputs import Inputs
from prevenance.runs.listed import NO_MODEL
from prevenance.runs.manifest import manifest_of, quarantine_files
from prevenance.runs.ranked import pseudonyms_of, ranked_list
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import target_of
from prevenance.runs.steps import Steps
from prevenance.runs.view import view_files


def publish_target(given: Settings, inputs: Inputs, steps: Steps, *, at_the_time: bool = False) -> tuple[str, dict[str, Any]]:
    """Score, rank and publish one target; return the text to print and the facts for the status file.

    ``at_the_time`` takes the champion of that night, not today's.
    """
    target, out, cutoff = target_of(given), Path(given.out), inputs.as_of
    fitted, model_digest, messages = champion_of(out, target, cutoff, asked_source(given), at_the_time=at_the_time)
    made, hidden = ranked_list(given, inputs, fitted, model_digest, steps), pseudonyms_of(given)
    now = made.inputs
    files = {
        "list.csv": formats.csv_bytes(made.ranked),
        "list.json": formats.json_bytes(made.ranked),
        "features.parquet": formats.parquet_bytes(hidden.hidden(now) if hidden else now),
    }
    files |= made.extra | {f"quarantine/{name}.csv": content for name, content in quarantine_files(inputs, hidden).items()}
    by = NO_MODEL.get(fitted.kind, "")
    said = [*messages, *([by] if by else []), *inputs.messages, *made.notes]
    manifest = manifest_of(given, inputs, target, fitted, model_digest, made, said)
    files |= view_files(given, inputs, made, fitted, model_digest, manifest, steps)
    steps(f"{target.name}: look at the inputs again")
    inputs.unchanged()
    steps(f"{target.name}: publish")
    folder = publish_list(out, target.name, cutoff, files, manifest, finished.check_list_folder)
    return summary.list_text(made.ranked, folder, by=by), {
        "list": str(folder),
        "listed": len(made.ranked),
        "run_id": made.run_id,
        "messages": [*messages, *(gate.says for gate in inputs.gates if gate.outcome != "pass")],
        "gates": manifest["gates"],
    }
