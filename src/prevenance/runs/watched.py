"""What the watch says of one target's night, from the list that was made and the rows that its model learned from."""

import io
from datetime import datetime, timedelta

import pandas as pd
import pyarrow.parquet as pq

from prevenance.base.errors import PrevenanceError
from prevenance.explain.facts import wordings
from prevenance.models.bundle import Fitted
from prevenance.proof.watch import tonight
from prevenance.proof.watch.records import Warned
from prevenance.proof.watch.wording import warning_text
from prevenance.runs.inputs import Inputs
from prevenance.runs.listed import NO_MODEL, Listed
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import definitions_of, with_unjudged
from prevenance.targets.labels import cohort, label
from prevenance.targets.target import Target
from prevenance.words import words

AT_RISK = "at_risk"


def warnings_tonight(given: Settings, inputs: Inputs, target: Target, fitted: Fitted, made: Listed) -> list[Warned]:
    """Return the warnings of a list that was made by a model; of rules there is none, they learned from nobody.

    Raises:
        PrevenanceError: E606 for chances far from those of past Mondays, with ``watch.block``.
    """
    if fitted.kind in NO_MODEL:
        return []
    now = made.inputs.only((made.cohort["state"] == AT_RISK).to_numpy())
    scored = made.decided.loc[made.decided["score"].notna(), ["customer_id", "cutoff", "score"]]
    past = made.past[made.past["state0"] == AT_RISK]
    found = tonight.chance_warnings(target.name, past[["customer_id", "cutoff", "score"]], scored)
    if found and given.watch.block:
        says = warning_text(words("en"), found[0])
        fix = "look at what changed (make validate, make watch) and train again, or set watch.block=false if it is true"
        raise PrevenanceError("E606", says, target=target.name, fix=fix)
    phrases = {name: (one.phrase, one.days) for name, one in wordings(definitions_of(given, inputs, fitted)[0]).items()}
    learned = learned_rows(given, target, fitted, inputs.as_of)
    columns = [name for name in fitted.encoder.features if name in learned and name in now]
    if len(learned):
        found += tonight.input_warnings(target.name, learned, now, columns, phrases)
        newest = tonight.outcome_rates(closed_rows(inputs, target, inputs.as_of))
        found += tonight.rate_warnings(target.name, tonight.outcome_rates(learned), newest, target.horizon_days)
    return found + tonight.word_warnings(target.name, fitted.encoder, now, phrases)


def learned_rows(given: Settings, target: Target, fitted: Fitted, as_of: datetime) -> pd.DataFrame:
    """Return the snapshots with closed labels that the latest training kept, as far as they were closed at ``as_of``; none where there are none.

    They are those of the model only if it was trained no earlier than the last of them closed.
    """
    path = given.folder / "train" / target.name / "features.parquet"
    none = pd.DataFrame({"customer_id": [], "cutoff": [], "state": [], "label": []})
    if not path.is_file():
        return none
    asked = {*none, *target.keys, *fitted.encoder.features}
    try:
        content = io.BytesIO(path.read_bytes())
        rows = pd.read_parquet(content, columns=[name for name in pq.read_schema(content).names if name in asked])
    except (OSError, ValueError):  # damaged: nothing is known, and a night needs none of it
        return none
    until = min(as_of, datetime.fromisoformat(str(fitted.about.get("trained_until", as_of.isoformat()))))
    closed = rows["cutoff"] + timedelta(days=target.horizon_days + target.settle_days) <= pd.Timestamp(until)
    return rows[closed & (rows["state"] == AT_RISK) & rows["label"].notna()].reset_index(drop=True)


def closed_rows(inputs: Inputs, target: Target, as_of: datetime) -> pd.DataFrame:
    """Return the snapshots whose label window closes at ``as_of``, with labels."""
    cutoff = as_of - timedelta(days=target.horizon_days + target.settle_days)
    return label(inputs.history, target, with_unjudged(inputs.history, target, cohort(inputs.history, target, [cutoff])))
