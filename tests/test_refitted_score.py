"""The health-score converter: the same shape, guesses replaced by outcomes, and the changes that matter told."""

from __future__ import annotations

import numpy as np
import pandas as pd

from prevenance.models import health_score
from prevenance.models.refitted_score import band_places, changes_that_matter, refitted_params
from prevenance.words import LANGUAGES, words
from prevenance.words.saying import said_in

GUESSED = {
    "inputs": [
        {"feature": "logins", "weight": 10.0, "bands": [[None, 2.0, 0.0], [2.0, 5.0, 50.0], [5.0, None, 100.0]]},
        {"feature": "nps", "weight": 60.0, "bands": [[None, 6.0, 0.0], [6.0, None, 100.0]]},
        {"feature": "tickets", "weight": 30.0, "bands": [[None, 1.0, 100.0], [1.0, None, 0.0]]},
        {"feature": "not_here", "weight": 5.0, "bands": [[None, 1.0, 100.0], [1.0, None, 0.0]]},
    ]
}


def world(seed: int, n: int = 3000) -> pd.DataFrame:
    """Return rows whose outcome hangs on logins; of tickets the other way round than the team believes; the NPS says nothing."""
    dice = np.random.default_rng(seed)
    rows = pd.DataFrame({"logins": dice.integers(0, 9, n).astype(float), "nps": dice.integers(0, 11, n).astype(float)})
    rows["tickets"] = dice.integers(0, 5, n).astype(float)
    odds = -2.5 + 2.0 * (rows["logins"] <= 2) + 0.8 * (rows["tickets"] <= 1)
    rows["label"] = (dice.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    rows.loc[dice.random(n) < 0.2, "nps"] = np.nan
    return rows


def area(params: dict[str, object], rows: pd.DataFrame) -> float:
    from sklearn.metrics import roc_auc_score

    encoder = health_score.score_encoder(params, list(rows))
    held = health_score.parameters(health_score.estimator(encoder, seed=0, **params))
    return float(roc_auc_score(rows["label"], health_score.log_odds(held, encoder.matrix(rows))))


def test_the_shape_stays_and_the_guesses_go() -> None:
    found = refitted_params(GUESSED, world(1))
    for old, new in zip(GUESSED["inputs"], found["inputs"], strict=True):
        assert new["feature"] == old["feature"]
        assert [band[:2] for band in new["bands"]] == [band[:2] for band in old["bands"]]
        assert all(0 <= band[2] <= 100 for band in new["bands"])
    logins, nps, tickets, absent = found["inputs"]
    assert logins["weight"] > tickets["weight"] > nps["weight"] > 0
    assert [band[2] for band in tickets["bands"]] == [0.0, 100.0], "few tickets are the danger here"
    assert absent == GUESSED["inputs"][3]
    assert abs(sum(one["weight"] for one in (logins, nps, tickets)) - 100) < 1


def test_on_rows_that_it_never_saw_it_is_better_than_the_guess() -> None:
    later = world(2)
    assert area(refitted_params(GUESSED, world(1)), later) > area(GUESSED, later) + 0.1


def test_the_changes_that_matter_are_told_most_first() -> None:
    rows = world(1)
    told = changes_that_matter(GUESSED, refitted_params(GUESSED, rows), rows)
    assert len(told) == 3
    assert {one.split(":")[0] for one in told} == {"logins", "nps", "tickets"}
    assert all("→" in said_in(words(language), one) for one in told for language in LANGUAGES)
    assert changes_that_matter(GUESSED, GUESSED, rows) == []


def test_nothing_to_learn_from_changes_nothing() -> None:
    rows = world(1)
    assert refitted_params(GUESSED, rows.assign(label=0.0)) == GUESSED
    assert refitted_params(GUESSED, rows[["label"]]) == GUESSED


def test_a_value_belongs_to_the_band_of_the_score() -> None:
    bands = GUESSED["inputs"][0]["bands"]
    assert band_places(pd.Series([2.0, 2.1, 5.0, 9.0, np.nan]), bands).tolist() == [0, 1, 1, 2, -1]  # type: ignore[arg-type]
