"""The actions of the newest list as a CSV for a CRM, with who decided what; nothing is sent anywhere, a person takes the file."""

from datetime import datetime
from typing import Any

import pandas as pd

from prevenance.base import disk, formats
from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased, pseudonyms
from prevenance.decide import feedback
from prevenance.decide.answered import standing_answers
from prevenance.decide.feedback import Answer
from prevenance.decide.overrides import FOLLOWED, newest_answers
from prevenance.publish.published import Published, published_list_at
from prevenance.runs.acts import note_act
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.steps import Steps

COLUMNS = ["customer_id", "product_id", "action", "act_by", "owner", "decision", "decided_by", "decided_at"]


def export_lists(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Write ``<out>/export/<target>-<cutoff>.csv`` of the chosen target, or of every target that has a list.

    Raises:
        PrevenanceError: E203 where there is no list, E906 where review is required and a row has no decision, E905 for pseudonyms without key.
    """
    out, written = given.folder, {}
    lists = {one.target.name: (one, published_list_at(out, one.target.name, None)) for one in targets(given)}
    if not any(found for _, found in lists.values()):
        fix = "run make score, or set out="
        raise PrevenanceError("E203", f"there is no published list in {out}", key="out", fix=fix, path=out / "lists")
    ready = {name: exported_rows(one, found) for name, (one, found) in lists.items() if found is not None}
    for name, (rows, cutoff) in ready.items():
        steps(f"{name}: export")
        path = disk.write(out / "export" / f"{name}-{formats.instant_stamp(cutoff)}.csv", formats.csv_bytes(rows))
        written[name] = {"file": str(path), "rows": len(rows)}
        decided = int(rows["decision"].ne("").sum())
        note_act(out, "export", target=name, rows=len(rows), decided=decided, review=given.privacy.review)
    for name, told in written.items():
        steps.tell(f"EXPORT    {name}: {told['rows']} rows to {told['file']}; nothing was sent")
    return {"outcome": "exported", "targets": written}


def exported_rows(given: Settings, found: Published) -> tuple[pd.DataFrame, datetime]:
    """Return what of a list is exported, best first, and its cutoff: the ranked rows, each with the newest decision on it.

    A row that a person decided against has no action. Who was erased since, or wants no contact any more, is on no list that is asked.
    """
    out, answers = given.folder, standing_answers(feedback.load_answers(given.folder, given.target.name))
    hidden = pseudonyms.wanted_pseudonyms(given.pseudonymous, given.privacy.key_file)
    made = newest_answers(one for one in answers if one.run_id == found.manifest["run_id"])
    rows = found.rows[found.rows["rank"].notna()]
    gone = erased.load_erased(out).among(rows["customer_id"])
    listed = [row for row in rows.to_dict("records") if row["customer_id"] not in gone]
    each = [(row, made.get((found.manifest["run_id"], row["customer_id"], row.get("product_id") or ""))) for row in listed]
    undecided = sum(answer is None for _, answer in each)
    if given.reviewed_only:
        each = [(row, answer) for row, answer in each if answer is not None]
    # Art. 22 GDPR: where review is required, no row leaves the house on the word of a model alone.
    elif undecided and given.privacy.review == "required":
        what = f"{undecided} of {len(each)} rows have no decision by a person"
        fix = "take the team's answers with make feedback, or add reviewed_only=true to export only the rows that were decided"
        raise PrevenanceError("E906", what, fix=fix, target=given.target.name)
    frame = pd.DataFrame([_row(dict(row), answer) for row, answer in each], columns=COLUMNS, dtype="str")
    if hidden:
        frame["customer_id"] = [hidden.of(one) for one in frame["customer_id"]]
    return frame if "product_id" in rows else frame.drop(columns="product_id"), found.cutoff


def _row(row: dict[str, Any], answer: Answer | None) -> dict[str, str]:
    """Return one line of the export."""
    told = {name: "" if row.get(name) is None else str(row[name]) for name in ("customer_id", "product_id", "action", "act_by", "owner")}
    if answer is None:
        return told | {"decision": "", "decided_by": "", "decided_at": ""}
    against = {"action": "", "act_by": ""} if answer.action not in FOLLOWED else {}
    return told | against | {"decision": answer.action, "decided_by": answer.by, "decided_at": answer.at}
