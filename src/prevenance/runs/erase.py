"""Erase one customer from everything that the output folder owns, keep them out of later runs, and print a certificate."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prevenance.base import disk, formats, kept, lock, memo
from prevenance.base.errors import PrevenanceError
from prevenance.consent import erased, pseudonyms
from prevenance.privacy import erasure
from prevenance.runs.acts import note_act
from prevenance.runs.settings.night_schema import SHADOW
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.runs.view import write_index


def erase_and_certify(given: Settings, steps: Steps) -> None:
    """Erase ``customer``; write ``<out>/erasures/<n>.json``, which does not hold the id. Doing it again finishes what was broken off.

    Raises:
        PrevenanceError: E202 nobody named, or nobody known, E401 no output folder, E801 a file cannot be written, E904 something is left.
    """
    out = given.folder
    if not given.customer:
        fix = "add customer=<an id as in column customer_id of list.csv>"
        raise PrevenanceError("E202", "customer is not set", key="customer", fix=fix)
    if not out.is_dir():
        raise PrevenanceError("E401", f"there is no output folder at {out}", key="out", fix="set out=<the folder that make train wrote>")
    held = erased.load_erased(out)
    # A certificate for a mistyped id would say that somebody was erased who was not.
    if not given.force and (not held.key or held.mark(given.customer) not in held.marks) and not erasure.is_named(out, given.customer):
        what = f"nothing below {out} names this customer, so there is nothing to erase"
        fix = (
            "give the id as in column customer_id of list.csv, or add force=true to keep an id that is not there yet out of every later run"
        )
        raise PrevenanceError("E202", what, key="customer", fix=fix)
    hidden = pseudonyms.key_pseudonyms(given.privacy.key_file)
    steps("keep the customer out of later runs")
    if (shadow := out / SHADOW).is_dir():
        with lock.hold_lock(shadow, "train"), lock.hold_lock(shadow, "lists"):
            erase_and_certify(replace(given, out=str(shadow), force=True), steps)
    mark = erased.add_erased(out, given.customer).mark(given.customer)
    steps("erase")
    erasure.sweep_unfinished(out)
    memo.forget_all(out)  # nothing in it that the next night does not work out again without them
    done = erasure.erase_customer(out, given.customer, hidden.of(given.customer) if hidden else "")
    if (out / "index.html").is_file():
        write_index(given)
    number = len(list((out / "erasures").glob("*.json"))) + 1
    told = certificate(given, mark, done, number, hidden)
    disk.write(out / "erasures" / f"{number}.json", formats.canonical_json(told))
    note_act(out, "erase", customer=mark, certificate=number, rows=sum(done.places.values()))
    steps.tell(certificate_text(told, out / "erasures" / f"{number}.json"))
    if unknown := sorted(pseudonyms.used_key_ids(out) - key_ids_used(out, mark)):
        what = f"rows may be left under pseudonyms of the key {unknown[0]}, which is not to be had"
        raise PrevenanceError("E904", what, fix=f"set {pseudonyms.KEY_VARIABLE} to that key and erase again")
    if done.left:
        raise PrevenanceError(
            "E904", f"{len(done.left)} files still name the customer", fix="remove them, then erase again", path=", ".join(done.left[:5])
        )


def certificate(given: Settings, mark: str, done: Any, number: int, hidden: pseudonyms.Pseudonyms | None) -> dict[str, Any]:
    """Return what an erasure did, without the id: its keyed hash, counts per place, models to train again and what is left to do."""
    source = "not ours to edit: delete the customer there; until then every run leaves them out and counts them as erased"
    if given.source.name == "demo" and not given.data:
        source = "the demo's own files are below the output folder and were rewritten"
    return {
        "number": number,
        "at": f"{datetime.now(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z",
        "customer": mark,
        "erased": done.places,
        "retrain": done.retrain,
        "left": done.left,
        "source": source,
        "key_id": hidden.key_id if hidden else None,
    }


def key_ids_used(out: Path, mark: str) -> set[str]:
    """Return the ids of the keys under whose pseudonyms a customer was erased, as the certificates say."""
    # One that is damaged vouches for nothing.
    told = [kept.whole_json(path) or {} for path in (out / "erasures").glob("*.json")]
    return {str(one.get("key_id")) for one in told if one.get("customer") == mark}


def certificate_text(told: dict[str, Any], path: Path) -> str:
    """Return the certificate as it is printed."""
    rows = [f"          {place:<24}{number:>8,}" for place, number in sorted(told["erased"].items())] or ["          nothing was found"]
    head = f"ERASED    certificate {told['number']}, customer {told['customer'][:12]} (keyed hash)"
    lines = [head, *rows, f"SOURCE    {told['source']}", f"FILES     {path}"]
    if models := ", ".join(told["retrain"]):
        lines.append(f"NEXT      make train   # {models}: the models learned from this customer among others; they hold no row of theirs")
    return "\n".join(lines)
