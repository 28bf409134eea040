"""Keep what changed since the last night in the tables that a source names under ``record``."""

from datetime import UTC, datetime
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import instant_stamp
from prevenance.consent import erased
from prevenance.consent.purpose import check_purpose
from prevenance.history.history import as_of_instant
from prevenance.runs.acts import note_act
from prevenance.runs.inputs import data_of, prepare_out, source_of
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.sources.files import new_engine
from prevenance.sources.gates import enforce_gates, volume_gates
from prevenance.sources.raw import raw_reader
from prevenance.sources.record import Change, check_record_instant, recorded_change, write_segment


def record_changes(given: Settings, steps: Steps) -> dict[str, Any]:
    """Compare the tables with what is recorded and write one segment for each that changed; all are compared before one is written.

    Raises:
        PrevenanceError: E202 when the source records nothing, E208 for an instant before the last record, E404 for a
            table that lost most of its keys, and what reading a table raises.
    """
    rules = given.privacy
    check_purpose(rules.purpose, rules.legal_basis, rules.controller)
    source, out = source_of(given), prepare_out(given)
    if not source.record:
        fix = "write record: {accounts: [account_id]} in the source's yaml, with an entry of files and its key columns"
        raise PrevenanceError("E202", f"the source {source.name} names nothing to record", key="source.record", fix=fix)
    now = datetime.now(UTC).replace(tzinfo=None)
    at = (as_of_instant(given.as_of, source.timezone, now) if given.as_of else now).replace(microsecond=0)
    data, con, left = data_of(given, source, steps), new_engine(), erased.load_erased(out)
    found = []
    # Nothing is written inside: a table that is refused must not leave the others one night ahead of it.
    with raw_reader(con, source, data) as read:
        for view, keys in source.record.items():
            steps(f"compare {view}")
            folder = out / "record" / view
            check_record_instant(folder, at)
            loaded = read(source.entries[view])
            found.append(recorded_change(con, view, keys, folder, at, left, loaded.ragged))
            found[-1].notes.extend(loaded.special)
            check_whole(found[-1], accepted=given.accept_volume)
    steps("keep what changed")
    for one in found:
        write_segment(one)
    told = {one.view: {"new": one.new, "changed": one.changed, "gone": one.gone} for one in found}
    note_act(out, "record", rows={view: sum(counts.values()) for view, counts in told.items()})
    steps.tell("\n".join([f"RECORD    {instant_stamp(at)}", *map(change_text, found)]))
    return {"outcome": "recorded", "record": told}


def check_whole(one: Change, *, accepted: bool) -> None:
    """Raise E404 if most keys vanished at once, unless that is ``accepted``: more likely the table is a part of itself."""
    rows = one.before + one.new - one.gone
    enforce_gates(volume_gates({one.view: rows}, [{one.view: one.before}], {}, accepted=accepted))


def change_text(one: Change) -> str:
    """Return what is told of one table."""
    what = (
        f"{one.new:,} new, {one.changed:,} changed, {one.gone:,} gone -> {one.path}"
        if one.rows
        else f"nothing changed, {one.before:,} rows known"
    )
    return "\n".join([f"          {one.view}: {what}", *(f"          {one.view}: {note}" for note in one.notes)])
