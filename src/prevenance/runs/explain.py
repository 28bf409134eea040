"""Explain one customer, tonight or at a past date: the numbers of the list, their sources, and what would change them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base import formats
from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.base.formats import json_value
from prevenance.explain.attribution import SAMPLED, contributions
from prevenance.explain.details import Basis, details_by_customer
from prevenance.explain.evidence import inputs_of, rows_held, sum_check, what_if_answers
from prevenance.explain.reasons import RowReasons
from prevenance.explain.rows import reasons_by_row
from prevenance.models import bundle
from prevenance.publish import dossier, folders
from prevenance.publish.published import Published, published_list_at
from prevenance.runs.acts import note_acts
from prevenance.runs.champion import asked_source, champion_of, with_champion
from prevenance.runs.headline import list_facts
from prevenance.runs.inputs import Inputs, load_inputs
from prevenance.runs.ranked import ranked_list
from prevenance.runs.settings.schema import Settings, Targets
from prevenance.runs.snapshots import definitions_of, target_of
from prevenance.runs.steps import Steps
from prevenance.words import Words, words

SHOWN = 60
"""Characters of an id at most in a message."""


@dataclass(frozen=True)
class Asked:
    """Who is asked about: an id as it stands in the source, and for offers a product (None: the best one)."""

    customer: str
    product: str | None = None

    @property
    def digest(self) -> str:
        """Return a short hash of the id: the only form in which it names a file."""
        return hashlib.sha256(self.customer.encode(errors="surrogatepass")).hexdigest()[:16]


def explain_customer(given: Settings, targets: Targets, steps: Steps) -> dict[str, Any]:
    """Explain ``customer`` for the chosen target, or for every target that has a champion; write ``<out>/explain/<target>/<cutoff>/``."""
    if not given.customer:
        fix = "add customer=<an id as in column customer_id of list.csv>"
        raise PrevenanceError("E202", "customer is not set", key="customer", fix=fix)
    asked, spoken = Asked(given.customer, given.product or None), words(given.language, given.source.timezone)
    chosen = with_champion(given.folder, targets(given))
    if asked.product is not None:
        chosen = [one for one in chosen if target_of(one).pairs] or chosen
    results = {}
    read = inputs_by_target(given, steps)
    for one in chosen:
        inputs, found = read(one)
        check_known(inputs, asked, one.source.timezone)
        title = target_of(one).words.title
        told = explanation(one, basis_of(one, inputs, found, steps), asked, spoken)
        folder = given.folder / "explain" / one.target.name / formats.instant_stamp(inputs.as_of)
        files = {
            f"{asked.digest}.json": formats.canonical_json(told),
            f"{asked.digest}.html": dossier.dossier_page(told, spoken, spoken(title)).encode(errors="replace"),
            f"{asked.digest}.customer.html": dossier.customer_page(told, spoken).encode(errors="replace"),
        }
        folders.write_files(folder, files)
        steps.tell(dossier.dossier_text(told, str(folder), spoken))
        results[one.target.name] = str(folder)
    note_acts(given.folder, "explain", results)
    return {"outcome": "explained", "targets": results}


def inputs_by_target(given: Settings, steps: Steps) -> Callable[[Settings], tuple[Inputs, Published | None]]:
    """Return what gives, for the settings of a target, the inputs at its cutoff and the list published there; each cutoff is read once.

    Without ``as_of`` the cutoff is that of the newest published list; without a list either, it is what ``score`` would take.
    """
    read: dict[str | None, Inputs] = {}

    def inputs_and_list(one: Settings) -> tuple[Inputs, Published | None]:
        newest = published_list_at(one.folder, one.target.name, None) if one.as_of is None else None
        as_of = f"{newest.cutoff.isoformat()}+00:00" if newest else one.as_of
        if as_of not in read:
            read[as_of] = load_inputs(replace(one, as_of=as_of), steps, gated=True)
        return read[as_of], newest or published_list_at(one.folder, one.target.name, read[as_of].as_of)

    return inputs_and_list


def check_known(inputs: Inputs, asked: Asked, zone: str) -> None:
    """Raise E903 for a customer who has opted out, E203 for one who is not known at the cutoff; no other id is ever printed."""
    con, shown = inputs.history.con, asked.customer[:SHOWN]
    # Opt-outs first: the history holds no row of theirs, so the question below would call them unknown and ask for a later date.
    if con.execute("select 1 from canonical._opted_out where customer_id = ? limit 1", [asked.customer]).fetchall():
        raise PrevenanceError(
            "E903", "this customer has opted out, so nothing is worked out or shown, for past dates either", fix="choose another customer="
        )
    if not con.execute("select 1 from canonical.customers where customer_id = ? limit 1", [asked.customer]).fetchall():
        day = local_day(inputs.as_of, zone)
        what = f"no customer with this id is known at {day}"
        fix = "give the id as it stands in column customer_id of list.csv, or a later as_of="
        raise PrevenanceError("E203", what, fix=fix, customer=shown)


def basis_of(given: Settings, inputs: Inputs, found: Published | None, steps: Steps) -> Basis:
    """Return the list that the explanation stands on: the published one, or the same list worked out now."""
    target, out = target_of(given), given.folder
    if found is None:
        fitted, digest, _ = champion_of(out, target, inputs.as_of, asked_source(given), zone=given.source.timezone)
    else:
        fitted, digest = found.model(out), found.manifest["model"]["digest"]
    definitions, _ = definitions_of(given, inputs, fitted)
    basis = partial(Basis, target, inputs.history, inputs.as_of, fitted, digest, definitions)
    if found is None:
        made = ranked_list(given, inputs, fitted, digest, steps)
        return basis(made.ranked, made.inputs, made.run_id, f"{made.until.isoformat()}Z")
    told, shown = found.manifest, found.inputs(given.privacy.key_file, inputs.history)
    return basis(found.rows, shown, told["run_id"], told["data_until"], folder=found.folder)


def explanation(given: Settings, basis: Basis, asked: Asked, say: Words) -> dict[str, Any]:
    """Return everything there is to say on one customer and target: what explain.json holds.

    ``absence_text`` says in a sentence why there is no chance to explain: not in the cohort; then most of the rest is missing.

    Raises:
        PrevenanceError: E203 for a product that is no offer to the customer.
    """
    head = _head(given, basis, asked)
    place = _place(basis, asked)
    if place is None:
        return head | {"absent": absence_text(given, basis, say), "held": rows_held(basis.history, basis.cutoff, asked.customer)}
    own = basis.features.take(np.array([place])).reset_index(drop=True)
    row = _listed_row(basis, own)
    sampled = basis.fitted.kind in SAMPLED
    start, found = contributions(basis.fitted, basis.features.take(np.arange(len(basis.features))) if sampled else own)
    parts = found.iloc[place if sampled else 0]
    score = float(bundle.chance(basis.fitted, own)[0])
    low, high = (float(side[0]) for side in bundle.interval(basis.fitted, np.array([score])))
    judged = row is None or row["score"] is not None
    told = own.assign(score=score if judged else np.nan)
    standing = details_by_customer(basis, told, say, own_reasons(basis, own, place, say), weeks={})[asked.customer] if judged else {}
    return head | {
        "product_id": own["product_id"].iloc[0] if "product_id" in own else None,
        "row": row,
        "absent": "" if row is not None else say("Not on the list of that day, so as not to contact the customer again so soon"),
        "judged": judged,
        "score": score if judged else None,
        "score_low": low if judged else None,
        "score_high": high if judged else None,
        "check": sum_check(basis, start, parts, score, row),
        "inputs": inputs_of(basis, own, parts, asked.customer, say),
        "what_if": what_if_answers(basis, own, parts, say) if judged else [],
        "details": standing,
        "held": rows_held(basis.history, basis.cutoff, asked.customer),
    }


def own_reasons(basis: Basis, own: pd.DataFrame, place: int, say: Words) -> dict[str, RowReasons]:
    """Return customer_id -> the reasons of one row of inputs, as its list tells them."""
    [found] = reasons_by_row(
        basis.fitted, np.array([place]), basis.history, basis.cutoff, basis.features, basis.definitions, say,
        told_by=basis.target.told_by, gain=basis.target.words.gain,
    )  # fmt: skip
    return {own["customer_id"].iloc[0]: found}


def absence_text(given: Settings, basis: Basis, say: Words) -> str:
    """Return why a known customer is in no list of this target at this cutoff."""
    return say(basis.target.words.absent, n=given.target.active_days, date=say.date(basis.cutoff))


def _head(given: Settings, basis: Basis, asked: Asked) -> dict[str, Any]:
    about = basis.fitted.about
    return {
        "customer_id": asked.customer,
        "digest": asked.digest,
        **list_facts(given, basis),
        "list": None if basis.folder is None else str(basis.folder),
        "model": {
            "version": basis.digest[:12],
            "digest": basis.digest,
            "kind": basis.fitted.kind,
            "trained_until": about.get("trained_until"),
            "snapshots": about.get("snapshots"),
            "positives": about.get("positives"),
        },
        "privacy": {"purpose": given.privacy.purpose, "legal_basis": given.privacy.legal_basis},
    }


def _place(basis: Basis, asked: Asked) -> int | None:
    """Return the position of the customer's row of inputs: of the product asked for, else of the offer on the list, else the first."""
    own = np.flatnonzero((basis.features["customer_id"] == asked.customer).to_numpy())
    if not len(own) or "product_id" not in basis.features:
        return int(own[0]) if len(own) else None
    products = basis.features["product_id"].iloc[own].tolist()
    if asked.product is not None:
        if asked.product not in products:
            what = f'"{asked.product[:SHOWN]}" is no offer to this customer'
            fix = did_you_mean(asked.product[:SHOWN], products)
            raise PrevenanceError("E203", what, fix=fix, key="product")
        return int(own[products.index(asked.product)])
    listed_one = basis.rows.loc[basis.rows["customer_id"] == asked.customer, "product_id"].tolist()
    return int(own[products.index(listed_one[0])]) if listed_one else int(own[0])


def _listed_row(basis: Basis, own: pd.DataFrame) -> dict[str, Any] | None:
    """Return the row of the list that stands for this row of inputs, in the types of JSON."""
    same = basis.rows["customer_id"] == own["customer_id"].iloc[0]
    if "product_id" in own:
        same &= basis.rows["product_id"] == own["product_id"].iloc[0]
    found = basis.rows[same].to_dict("records")
    return {str(key): json_value(value) for key, value in found[0].items()} if found else None
