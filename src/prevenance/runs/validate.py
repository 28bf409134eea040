"""Run only the checks of the inputs and print what a person should know of them; no model, nothing published."""

from dataclasses import replace
from typing import Any

from prevenance.base import disk, formats
from prevenance.base.errors import PrevenanceError
from prevenance.consent.purpose import PURPOSE_EXAMPLES
from prevenance.publish.quality import Audit, audit_report, audit_text
from prevenance.runs.inputs import Inputs, load_inputs, source_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.sources.declared import Source
from prevenance.sources.quality.ages import table_ages
from prevenance.sources.quality.columns import column_gaps
from prevenance.sources.quality.findings import gate_finding, refusal_finding, source_findings
from prevenance.sources.quality.meaning import meaning_of
from prevenance.sources.taken import Policy
from prevenance.words import words

HOPELESS = (2, 7, 8)
"""Exit codes after which there is nothing to look at: a wrong setting, a held lock, the disk."""


def validate_inputs(given: Settings, steps: Steps) -> dict[str, Any]:
    """Print the audit and write ``<out>/validate/report.json``; what a run refuses is refused here too, after the audit of the rest.

    Raises:
        PrevenanceError: what a run at night would end with.
    """
    inputs, refused = inputs_and_refusals(given, steps)
    steps("")
    if inputs is not None:
        audit = audit_of(given, inputs, refused)
        place = disk.write(given.folder / "validate" / "report.json", formats.canonical_json(audit_report(audit)))
        say = words(given.language or "en")
        steps.tell(f"{audit_text(audit, say)}\n\n{say('FILES'):<13} {place}")
    for problem in refused[1:]:
        steps.tell(problem.line())
    if refused:
        raise refused[0]
    return {"outcome": "valid"}


def inputs_and_refusals(given: Settings, steps: Steps) -> tuple[Inputs | None, list[PrevenanceError]]:
    """Return the inputs as a night would have them; where it refuses, those that are left without what it refuses, and every refusal."""
    try:
        return load_inputs(given, steps, gated=True), []
    except PrevenanceError as problem:
        if problem.exit_status in HOPELESS:
            raise
        refused, lenient, source = [problem], _lenient(given, problem), source_of(given)
    while refused[-1].code != "E305":
        try:
            return load_inputs(lenient, steps, source=source), refused
        except PrevenanceError as problem:
            known = problem.line() in [one.line() for one in refused]
            refused += [] if known else [problem]
            lenient, smaller = _lenient(lenient, problem), _without(source, str(problem.where.get("table", "")))
            if smaller == source and (known or problem.exit_status != 9):
                return None, refused
            source = smaller
    return None, refused[:-1] or refused  # nobody is left when the rest is taken away: that is no finding of its own


def _lenient(given: Settings, problem: PrevenanceError) -> Settings:
    """Return settings that set bad rows apart and, for the audit alone, take what privacy asks for as recorded."""
    tables = {name: replace(one, on_bad_row="quarantine") for name, one in given.tables.items()}
    rules = given.privacy
    opt_in = rules.opt_in and problem.where.get("table") != "consents"
    recorded: dict[str, Any] = {name: getattr(rules, name).strip() or "not recorded" for name in PURPOSE_EXAMPLES}
    return replace(given, tables=tables, privacy=replace(rules, opt_in=opt_in, **recorded))


def _without(source: Source, name: str) -> Source:
    """Return the source without a table or ``files`` entry, and without what reads that."""
    files = {view: declared for view, declared in source.files.items() if view != name}
    selects = {
        table: select
        for table, select in source.selects.items()
        if table != name and not (name in source.files and name in source.views_read(table))
    }
    return replace(source, files=files, selects=selects)


def audit_of(given: Settings, inputs: Inputs, refused: list[PrevenanceError]) -> Audit:
    """Return the audit of what was read."""
    taken = inputs.taken
    policies = {name: Policy(one.on_bad_row, one.max_bad_share, one.required, one.least_kept) for name, one in given.tables.items()}
    found = source_findings(taken, policies)
    stopped = {one.table for one in found if one.blocks}
    gates = [one for one in inputs.gates if one.outcome != "pass"]
    # What a finding or a gate of the same table says already is not said twice.
    found += [refusal_finding(one) for one in refused if one.where.get("table") not in stopped and one.code not in ("E403", "E404", "E406")]
    found += [gate_finding(one, taken) for one in gates]
    outcomes = {one.table: one.outcome for one in inputs.gates if one.name.startswith("fresh.")}
    lines = [one.line() for one in refused]
    ages = table_ages(taken, inputs.as_of, outcomes)
    means = meaning_of(taken, inputs.as_of, inputs.prints, given.source.timezone)
    return Audit(given.source.name, inputs.as_of, inputs.counts, inputs.customers, column_gaps(taken), ages, found, lines, means)
