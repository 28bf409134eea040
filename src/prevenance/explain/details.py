"""What stands behind each row of a list, for the page and for one customer: reasons, history, what is unknown, precedents, a note."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.formats import json_value
from prevenance.base.working import TeamHours
from prevenance.explain import facts, story
from prevenance.explain.attribution import SAMPLED, context_by_row
from prevenance.explain.facts import Wording
from prevenance.explain.moved import moved_texts
from prevenance.explain.note import call_note
from prevenance.explain.reasons import RowReasons, nothing_text
from prevenance.explain.waits import input_hours, waits_by_customer
from prevenance.features.build import build, definitions_giving, feature_columns
from prevenance.features.define import Definition
from prevenance.features.held import InputRows
from prevenance.history.history import History, visible_sql
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.models.precedents import similar_counts
from prevenance.targets.labels import cohort
from prevenance.targets.target import Target
from prevenance.words import Words

BEFORE = timedelta(days=28)
"""How long before the cutoff the number lies that a fact compares with."""

MOST_CONTEXT = 3
"""Facts that nobody can change, at most."""


@dataclass(frozen=True)
class Basis:
    """What an explanation stands on: a list (its rows and inputs), the model that made it, and the history at its cutoff.

    ``folder`` is where the list is published; None for one that was worked out just now.
    """

    target: Target
    history: History
    cutoff: datetime
    fitted: Fitted
    digest: str
    definitions: tuple[Definition, ...]
    rows: pd.DataFrame
    features: InputRows
    run_id: str
    data_until: str
    folder: Path | None = None

    @cached_property
    def hours(self) -> TeamHours:
        """Return the working hours that the list's inputs were counted by."""
        return input_hours(self.definitions)

    @cached_property
    def wordings(self) -> dict[str, Wording]:
        """Return how each input is told."""
        return facts.wordings(self.definitions)

    def phrase(self, name: str, values: Mapping[str, Any], say: Words) -> str:
        """Return the value of one input in words, "" where there is nothing to tell."""
        wording = self.wordings.get(name)
        return facts.fact_text(replace(wording, with_before=None), values, say) if wording else ""

    def phrase_of(self, columns: Sequence[str], values: Mapping[str, Any], say: Words) -> tuple[str, str] | None:
        """Return the input that tells a whole story best by itself (a number before a trend), and its words; None if none can.

        ``values`` holds what is known of the other time; a phrase that needs more cannot tell it.
        """
        told = [(name, text) for name in columns if (text := self.phrase(name, values, say))]
        return min(told, key=lambda one: ("before" in self.wordings[one[0]].fills, columns.index(one[0])), default=None)

    def known_since(self, customer: str, moment: datetime) -> bool:
        """Return whether the customer was known at ``moment`` already."""
        query = f"select 1 from {visible_sql('customers', moment)} where customer_id = ? limit 1"
        return bool(self.history.con.execute(query, [customer]).fetchall())


def _contact(say: Words, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the last contact; a source that tells of none says nothing of it, which is not "no contact yet"."""
    return {"last_contact": _day(say, held["last_contact"]), "last_contact_kind": held["last_contact_kind"], "next_contact": None}


def details_by_customer(
    basis: Basis,
    frame: pd.DataFrame,
    say: Words,
    reasons: Mapping[str, RowReasons],
    *,
    weeks: Mapping[str, Sequence[float | None]] | None = None,
    changed: Mapping[str, dict[str, Any]] | None = None,
) -> dict[str, dict[str, Any]]:
    """Return customer_id -> the ``details`` of its row.

    Args:
        basis: what the list stands on.
        frame: one row for each customer to tell about: customer_id[, product_id], every input, score (NaN where there is none).
        say: the words of a language.
        reasons: customer_id -> what its row tells.
        weeks: customer_id -> twelve weekly chances, oldest first, where they are known already; an empty one leaves them out.
        changed: customer_id -> what changed since the last list.
    """
    customers = frame["customer_id"].tolist()
    known = story.customer_states(basis.history, basis.cutoff)
    unknown = _unknown(basis, frame, known, say)
    shown = story.timelines(basis.history, basis.cutoff, customers, say)
    waited = waits_by_customer(basis.history, basis.cutoff, customers, basis.hours, say)
    marked = story.marks_by_customer(basis.history, basis.cutoff, customers, say)
    past = earlier_inputs(basis, frame, [basis.cutoff - BEFORE, *(story.line_moments(basis.cutoff)[:-1] if weeks is None else ())])
    chances = weekly_chances(basis, frame, past) if weeks is None else weeks
    told = reasons_by_customer(basis, frame, past, reasons, say)
    moved = moved_by_customer(basis, frame, past, say, reasons)
    mine = basis.rows[basis.rows["customer_id"].isin(customers)]
    rows = {row["customer_id"]: {key: json_value(value) for key, value in row.items()} for row in mine.to_dict("records")}
    standing = known.reindex(customers).to_dict("index")
    found: dict[str, dict[str, Any]] = {}
    for customer, score in zip(customers, frame["score"].tolist(), strict=True):
        held = {key: None if pd.isna(value) else value for key, value in standing[customer].items()}
        precedent = similar_counts(basis.fitted.about, score)
        found[customer] = {
            "renews_on": _day(say, held["renews_on"]),
            **(_contact(say, held) if "contacts" in basis.history.tables else {}),
            "country": held["country"],
            "plan": held["plan"],
            **told[customer],
            "moved": moved.get(customer, []),
            "changed": (changed or {}).get(customer),
            "weeks": list(chances.get(customer, [])) or None,
            "marks": marked.get(customer, []),
            "timeline": shown.get(customer, []),
            "waits": waited.get(customer, []),
            "unknown": unknown[customer],
            "similar": None if precedent is None else {"n": precedent[0], "outcome": precedent[1], "text": ""},
            "note": _noted(say, basis.cutoff, held, rows.get(customer, {})),
        }
    return found


def _unknown(basis: Basis, frame: pd.DataFrame, known: pd.DataFrame, say: Words) -> dict[str, list[str]]:
    """Return customer_id -> what is not known of it; ``known`` is from ``story.customer_states``."""
    customers, inputs = frame["customer_id"].tolist(), list(basis.fitted.encoder.features)
    asked = pd.DataFrame(
        {
            "customer_id": customers,
            "score": frame["score"].to_numpy(),
            "holes": frame[inputs].isna().sum(axis=1).to_numpy(),
            "inputs": len(inputs),
            "without": story.tables_without(basis.history, basis.cutoff, customers),
        }
    )
    late = story.source_ages(basis.history, basis.cutoff)
    return story.unknown_by_customer(asked, known, late, (basis.fitted.band[0][0], basis.fitted.band[-1][0]), say)


def _noted(say: Words, cutoff: datetime, held: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return the call note of one row of the list."""
    return call_note(
        say,
        cutoff=cutoff,
        last_contact=held["last_contact"],
        kind=held["last_contact_kind"],
        facts=[text for text in str(row.get("reasons") or "").split("; ") if text and text != nothing_text(say)],
        action=str(row.get("action") or ""),
        act_by=str(row.get("act_by") or ""),
        renews_on=held["renews_on"],
    )


def reasons_by_customer(
    basis: Basis, frame: pd.DataFrame, past: pd.DataFrame, reasons: Mapping[str, RowReasons], say: Words
) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Return customer_id -> reasons and holds, as the row tells them, and context: what raises the chance and nobody can change."""
    keys = basis.target.keys
    then = past[past["cutoff"] == pd.Timestamp(basis.cutoff - BEFORE)].drop(columns="cutoff")
    before = frame[keys].merge(then, on=keys, how="left").set_index(frame.index)
    every = frame
    # One row alone would be explained against itself.
    if basis.fitted.kind in SAMPLED:  # told against the typical customer of the whole list
        others = basis.features.take(np.arange(len(basis.features)))
        every = pd.concat([frame, others.merge(frame[keys], on=keys, how="left", indicator=True).query("_merge == 'left_only'")])
        before = before.reindex(range(len(every)))
    told_rows = {"before": before.reset_index(drop=True), "rows": len(frame), "most": MOST_CONTEXT}
    found = context_by_row(basis.fitted, every.reset_index(drop=True), basis.definitions, say, **told_rows)
    judged = frame["score"].notna().tolist()
    told: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for customer, known, mine in zip(frame["customer_id"], judged, found, strict=True):
        row = reasons.get(customer, RowReasons()) if known else RowReasons()
        told[customer] = {
            "reasons": [asdict(fact) for fact in row.reasons],
            "context": [asdict(fact) for fact in mine] if known else [],
            "holds": [asdict(fact) for fact in row.holds],
        }
    return told


def moved_by_customer(
    basis: Basis, frame: pd.DataFrame, past: pd.DataFrame, say: Words, reasons: Mapping[str, RowReasons]
) -> dict[str, list[str]]:
    """Return customer_id -> why its chance moved within 28 days, for rows with a chance then and now."""
    keys, inputs = basis.target.keys, list(basis.fitted.encoder.features)
    then = past[past["cutoff"] == pd.Timestamp(basis.cutoff - BEFORE)]
    before = frame[keys].merge(then, on=keys, how="left").reindex(columns=inputs)
    families = [{fact.family for fact in reasons[one].reasons} if one in reasons else set() for one in frame["customer_id"]]
    told = moved_texts(basis.fitted, frame, before, basis.definitions, say, told_by=basis.target.told_by, reasons=families)
    return {one: texts for one, known, texts in zip(frame["customer_id"], frame["score"].notna(), told, strict=True) if known}


def earlier_inputs(basis: Basis, frame: pd.DataFrame, moments: Iterable[datetime]) -> pd.DataFrame:
    """Return the inputs of the customers of ``frame`` at earlier ``moments``, where they were in the cohort then."""
    keys = basis.target.keys
    asked = cohort(basis.history, basis.target, moments).merge(frame[keys], on=keys)
    needed = definitions_giving(basis.definitions, [name for name in frame if name in feature_columns(basis.definitions)])
    return build(basis.history, asked[["customer_id", "cutoff", *keys[1:]]], needed)


def weekly_chances(basis: Basis, frame: pd.DataFrame, past: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return customer_id -> the chances of the same model at the moments of ``story.line_moments``; None outside the cohort.

    ``past`` is from ``earlier_inputs``; the last chance is the list's.
    """
    place = {pd.Timestamp(moment): number for number, moment in enumerate(story.line_moments(basis.cutoff)[:-1])}
    known = past[past["cutoff"].isin(list(place))]
    scores = bundle.chance(basis.fitted, known) if len(known) else np.zeros(0)
    found: dict[str, list[float | None]] = {
        customer: [*(None for _ in place), None if pd.isna(score) else float(score)]
        for customer, score in zip(frame["customer_id"], frame["score"], strict=True)
    }
    for customer, cutoff, score in zip(known["customer_id"], known["cutoff"], scores, strict=True):
        found[customer][place[cutoff]] = float(score)
    return found


def _day(say: Words, moment: datetime | None) -> str | None:
    day = say.day(moment)
    return None if day is None else day.isoformat()
