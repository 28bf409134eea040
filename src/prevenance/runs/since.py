"""What changed in each chance since the last list: new facts, another model, another calibration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.explain.change import PARTS, change_facts, change_parts
from prevenance.explain.details import Basis
from prevenance.features.build import build, feature_columns
from prevenance.models.bundle import Fitted
from prevenance.publish.published import Published
from prevenance.runs.settings.schema import Settings
from prevenance.words import Words


def changes_since(
    given: Settings, basis: Basis, asked: pd.DataFrame, last: Published, say: Words
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return customer_id -> ``changed`` of its row, and messages: what could not be compared, which is never a reason to have no list.

    Customers who were not on the last list, or have no chance, are absent.

    Args:
        given: the settings; models are kept in its output folder.
        basis: what the list stands on.
        asked: customer_id[, product_id], score and the model's inputs of the rows to tell about.
        last: the list before.
        say: the words of a language.
    """
    try:
        before, then = last.model(Path(given.out)), last.inputs(given.privacy.key_file, basis.history)
    except PrevenanceError as problem:
        return {}, [f"what changed since {last.cutoff:%Y-%m-%d} is not told: {problem.what}"]
    keys = basis.target.keys
    judged = asked[asked["score"].notna()].reset_index(drop=True)
    rows = _with_inputs(basis, judged, before)
    if absent := [name for name in before.encoder.features if name not in rows]:
        return {}, [f"what changed since {last.cutoff:%Y-%m-%d} is not told: its model wants {absent[0]}, which the tables do not give"]
    if rows.empty or then.empty:
        return {}, []
    now, earlier = rows.set_index(keys), then.set_index(keys)
    parts = change_parts(basis.fitted, now, before, earlier)
    facts = change_facts(before, now, earlier, basis.definitions, say)
    found = {}
    for customer, told, why in zip(judged["customer_id"], parts[list(PARTS)].to_dict("records"), facts, strict=True):
        if pd.notna(told["points"]):
            found[customer] = {**{str(name): float(value) for name, value in told.items()}, "facts": [fact.text for fact in why]}
    return found, []


def _with_inputs(basis: Basis, rows: pd.DataFrame, model: Fitted) -> pd.DataFrame:
    """Return ``rows`` with the inputs that an earlier model wants and the present one does not, as far as the tables give them."""
    wanted = [name for name in model.encoder.features if name not in rows and name in feature_columns(basis.definitions)]
    if not wanted:
        return rows
    asked = rows[basis.target.keys].assign(cutoff=pd.Timestamp(basis.cutoff).as_unit("us"))
    return pd.concat([rows, build(basis.history, asked, basis.definitions)[wanted]], axis=1)
