"""How far back a training looks: lookbacks that the history is too short for, the first cutoff, and the date from which there is one."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from company import Company

from prevenance.base.errors import PrevenanceError
from prevenance.history.history import History
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.schema import FeatureSettings, Settings, SourceSettings, TargetSettings, ValidationSettings
from prevenance.runs.snapshots import cutoffs_of, definitions_of, target_of
from prevenance.targets.labels import cohort, drawn_cohort
from prevenance.targets.target import Target


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Return two customers with tickets on every day of 150 days from 1 January 2024."""
    capture: Any = None
    company = Company(tmp_path_factory.mktemp("company"), capture)
    days = [datetime(2024, 1, 1) + timedelta(days=n) for n in range(150)]
    company.files["tickets.csv"] = "account,id,day,score,note\n" + "".join(
        f"{'ab'[n % 2]},t{n},{day:%Y-%m-%d} 09:00:00,3,x\n" for n, day in enumerate(days)
    )
    return _read(company)


def _read(company: Company) -> Inputs:
    from prevenance.history.history import cut_history
    from prevenance.sources.declared import Source
    from prevenance.sources.files import new_engine
    from prevenance.sources.intake import intake

    data = company.write()
    source = Source("mine", company.selects, {"accounts": "accounts.csv", "tickets": "tickets.csv"}, timezone="UTC")
    taken = intake(new_engine(), source, data, {})
    until = datetime(2024, 5, 30)
    history, counts = cut_history(taken, until)
    return Inputs(history, counts, [], until, taken, {}, [], {}, lambda: None)


def given(**more: Any) -> Settings:
    target = TargetSettings(name="tickets", kind="ticket", horizon_days=28, settle_days=0, activity=["tickets"], active_days=30)
    return replace(Settings(source=SourceSettings(timezone="UTC"), target=target, features=FeatureSettings(sets=["tickets"])), **more)


def at(inputs: Inputs, day: str) -> Inputs:
    return replace(inputs, as_of=datetime.fromisoformat(day), messages=[])


def test_a_lookback_that_is_left_out_names_the_features_of_its_length_that_stay(inputs: Inputs) -> None:
    wide = given(features=FeatureSettings(sets=["tickets"], lookbacks=[7, 28, 90, 365]))
    _, said = definitions_of(wide, at(inputs, "2024-03-01"))
    assert said == [
        "lookback of 90 days left out: the history has 59 days; features whose length is 90 days by definition stay: "
        "tickets_90d, urgent_tickets_90d, tickets_reopened_90d and " + re.findall(r"and (\d+ more)", said[0])[0],
        "lookback of 365 days left out: the history has 59 days",
    ]


def test_the_shortest_lookback_stays_however_early_the_date(inputs: Inputs) -> None:
    early = at(inputs, "2024-01-03")
    usable, said = definitions_of(given(), early)
    assert usable
    assert not any(one.startswith("lookback of 7 days") for one in said)
    with pytest.raises(PrevenanceError, match="no label window is closed: history begins 2024-01-01") as refused:
        cutoffs_of(given(), target_of(given()), early)
    assert refused.value.code == "E601"


@pytest.mark.parametrize(
    ("validation", "named"),
    [
        (ValidationSettings(burn_in_days=60), "validation.burn_in_days"),
        (ValidationSettings(burn_in_days=10, start="2024-02-05", step_days=28), "target.active_days"),
        (ValidationSettings(burn_in_days=40, start="2023-11-01", step_days=30), "validation.burn_in_days"),
    ],
)
def test_the_date_that_a_training_without_a_cutoff_names_is_one_that_has_a_cutoff(
    inputs: Inputs, validation: ValidationSettings, named: str
) -> None:
    asked = given(validation=validation)
    if named == "target.active_days":
        silence = TargetSettings(name="c", kind="silence", horizon_days=28, settle_days=0, activity=["tickets"], active_days=45)
        asked = replace(asked, target=silence)
    with pytest.raises(PrevenanceError, match="the first cutoff has") as refused:
        cutoffs_of(asked, target_of(asked), at(inputs, "2024-01-10"))
    assert refused.value.fix.endswith(f"or shorten target.horizon_days or {named}")
    day = refused.value.fix.partition("as_of=")[2].split()[0]
    assert cutoffs_of(asked, target_of(asked), at(inputs, day))


def test_a_cohort_that_looks_back_further_than_the_burn_in_says_so(inputs: Inputs) -> None:
    silence = TargetSettings(name="c", kind="silence", horizon_days=14, settle_days=0, activity=["tickets"], active_days=56)
    asked = given(target=silence, validation=ValidationSettings(burn_in_days=30))
    whole = at(inputs, "2024-05-30")
    cutoffs_of(asked, target_of(asked), whole)
    cutoffs_of(asked, target_of(asked), whole)
    said = "validation.burn_in_days=30 is less than target.active_days=56, which the cohort looks back"
    assert whole.messages == [f"{said}: the first cutoff has 56 days of history before it"]
    patient = at(inputs, "2024-05-30")
    cutoffs_of(replace(asked, validation=ValidationSettings(burn_in_days=60)), target_of(asked), patient)
    assert patient.messages == []


@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("most", [1, 40, 150, 399, 400, 5000, None])
def test_a_sample_is_the_customers_whose_hash_is_small_enough(most: int | None, pairs: bool) -> None:
    # some begin late, so that the first cutoffs say too little of how many there will be
    began = [datetime(2024, 1, 1) + timedelta(days=2 * n) for n in range(100)]
    ids = [f"c{n}" for n in range(100)]
    customers = pd.DataFrame({"customer_id": ids, "event_at": began, "known_at": began})
    target = Target(
        "all",
        ("customers",),
        cohort="select customer_id, 'p' as product_id, 'at_risk' as state, 1.0 as value_at_stake from customers"
        if pairs
        else "select customer_id, 'at_risk' as state, 1.0 as value_at_stake from customers",
        outcome="select null",
        horizon_days=28,
        settle_days=0,
        pairs=pairs,
    )
    history = History.from_frames({"customers": customers}, datetime(2024, 12, 1))
    cutoffs = [datetime(2024, 1, 20) + timedelta(days=28 * n) for n in range(8)]
    every = cohort(history, target, cutoffs)
    share = min(1.0, (most or len(every)) / len(every))
    kept = every[[pd.util.hash_array(np.array([one], dtype=object))[0] / 2**64 < share or share == 1.0 for one in every["customer_id"]]]
    found, snapshots, people = drawn_cohort(history, target, reversed(cutoffs), most)
    pd.testing.assert_frame_equal(found, kept.reset_index(drop=True))
    assert (snapshots, people) == (len(every), every["customer_id"].nunique())
