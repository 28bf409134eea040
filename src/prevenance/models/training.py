"""Fit, calibrate and tune on one fold, and repeat it over the folds of the past.

A training frame has customer_id, cutoff (naive UTC), state, value_at_stake, label (NaN while ``(cutoff, cutoff + horizon]`` is open), outcome_at
and the feature columns. Only rows at risk with a closed label are used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from prevenance.models import bands, customer_rules, tuning
from prevenance.models.bundle import Fitted, calibrated
from prevenance.models.calibrate import platt_calibrator
from prevenance.models.cross_fit import ALONE, Encoded, LearningRows, learned_model, learning_rows, out_of_fold_values
from prevenance.models.encode import Encoder
from prevenance.models.folds import Fold, at_risk
from prevenance.models.kinds import BLENDED, module
from prevenance.models.precedents import precedents
from prevenance.models.refitted_score import SCORES, fold_params
from prevenance.models.told_rule import rule_text

FEW, MANY = 20, 100
"""Customers with a matured positive below which there is no model at all, and from which trees may challenge."""

RIVALS = ("base_rate", "rule", "customer_rules")
"""What every model is measured against; each is fitted on the same fold as the models."""

ORDER = ("cutoff", "customer_id", "product_id")


@dataclass(frozen=True)
class Backtest:
    """What the folds of the past said.

    ``predictions``: one row per fold, test snapshot and model: fold (1, 2, ...), cutoff, customer_id[, product_id], label, outcome_at,
    model, score (calibrated chance), raw (what ranks). ``early_loss``: per model the log loss of each customer, on all that the first fold learned from, told by
    models that had not learned from this customer, of the customers that nothing was tuned on: what the challenger is chosen by.
    ``rules``: per fold the single feature the rule took. ``params``: per kind what was tuned. ``dropped``: per fold the features that were constant or empty.
    """

    predictions: pd.DataFrame
    early_loss: dict[str, tuple[float, ...]] = field(default_factory=dict, hash=False)
    rules: tuple[str, ...] = ()
    params: dict[str, dict[str, Any]] = field(default_factory=dict)
    dropped: tuple[tuple[str, ...], ...] = ()


def usable_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows at risk with a closed label, in the order (cutoff, customer_id): the order given never matters.

    Rows that are all usable and in order already are returned as they are: a large frame is not copied again and again.
    """
    kept = at_risk(frame).to_numpy()
    keys = [name for name in ORDER if name in frame]
    if kept.all() and isinstance(frame.index, pd.RangeIndex) and frame[keys].equals(frame[keys].sort_values(keys, kind="stable")):
        return frame
    return frame[kept].sort_values(keys, kind="stable", ignore_index=True)


def positive_customers(frame: pd.DataFrame) -> int:
    """Return how many distinct customers have a matured positive: what there is to learn from."""
    return int(usable_rows(frame).loc[lambda rows: rows["label"] == 1, "customer_id"].nunique())


def model_ladder(positives: int) -> tuple[str, ...]:
    """Return the kinds of model worth trying, simplest first.

    >>> model_ladder(19), model_ladder(20), model_ladder(100)
    ((), ('logistic',), ('logistic', 'blend', 'lightgbm'))
    """
    if positives < FEW:
        return ()
    return ("logistic",) if positives < MANY else ("logistic", "blend", "lightgbm")


def fit_model(
    frame: pd.DataFrame,
    fold: Fold,
    kind: str,
    features: Sequence[str],
    *,
    seed: int,
    params: Mapping[str, Any] | None = None,
    threads: int = 0,
    about: Mapping[str, Any] | None = None,
) -> Fitted:
    """Return the model of one fold: learned from all that had closed by its test, calibrated out of fold on the same rows.

    For the calibrator each half of the customers is told by a model that learned from the other (see ``cross_fit``).

    Args:
        frame: a training frame; its other rows are not looked at.
        fold: with too few customers to part, the rows learned from calibrate (``about["calibrated_on"]`` says so).
        kind: a key of ``models.MODELS``, or ``base_rate``.
        features: the columns that may be used, in order.
        seed: of everything random.
        params: of the estimator; left out, its defaults.
        threads: for LightGBM, 0 means all; it never changes the result.
        about: more to keep with the model (target, horizon_days, ...), plain JSON.

    Raises:
        PrevenanceError: E203 for an unknown kind; E601 if the fit part has no closed label.
    """
    learn = learning_rows(usable_rows(frame), fold, features)
    return _fit(learn, fold, kind, seed, dict(params or {}), threads, dict(about or {})).fitted


def backtest(
    frame: pd.DataFrame,
    folds: Sequence[Fold],
    kinds: Sequence[str],
    features: Sequence[str],
    *,
    seed: int,
    trials: int = 20,
    champion: tuple[str, Mapping[str, Any]] | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    threads: int = 0,
) -> Backtest:
    """Return what each kind, the rivals and the champion's recipe would have said in each fold's test.

    Tuning happens once, on the first fold's fit and calibrate parts, all closed before the first test; ``params`` of a kind are taken
    instead; those for ``SCORES`` make them rivals too. ``champion``'s recipe (kind, params) is refitted in each fold.
    """
    rows = usable_rows(frame)
    settings = {kind: dict((params or {}).get(kind, {})) for kind in kinds}
    # The blend last: it takes the settings of its parts.
    for kind in sorted(kinds, key=lambda one: one == "blend"):
        if kind == "blend" and all(settings.get(one) for one in BLENDED):
            settings[kind] = settings[kind] or {one: settings[one] for one in BLENDED}
        if folds and not settings[kind]:
            settings[kind] = tune_model(rows, folds[0], features, seed=seed, trials=trials, kind=kind, threads=threads)
    asked = "product_id" not in rows and bool(customer_rules.usable_rules(Encoder(tuple(features))))
    recipes: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in RIVALS if name != "customer_rules" or asked}
    recipes |= {name: (SCORES[0], dict(chosen)) for name, chosen in (params or {}).items() if name in SCORES}
    recipes |= {kind: (kind, settings[kind]) for kind in sorted(kinds, key=lambda one: one == "blend")}
    if champion:
        recipes["champion"] = (champion[0], dict(champion[1]))
    parts, rules, dropped = [], [], []
    losses: dict[str, tuple[float, ...]] = {}
    for number, fold in enumerate(folds, start=1):
        learn = learning_rows(rows, fold, features)
        learned, test = learn.rows, Encoded(rows[rows["cutoff"] == pd.Timestamp(fold.test)], learn.whole.encoder)
        others = (~tuning.is_tuned_on(learned)).to_numpy()  # on the rest a kind with many settings looks better than it is
        made: dict[str, _Made] = {}
        for name, (kind, chosen) in recipes.items():
            made[name] = _fit(learn, fold, kind, seed, fold_params(name, chosen, learned), threads, {}, made)
            fitted = made[name].fitted
            parts.append(_predictions(test, number, name, fitted))
            if number == 1:
                losses[name] = tuning.customer_losses(calibrated(fitted, made[name].out_of_fold[others]), learned[others])
            if name == "rule":
                rules.append(rule_text(fitted))
                dropped.append(fitted.encoder.dropped)
    predictions = pd.concat(parts, ignore_index=True) if parts else _predictions(Encoded(rows.iloc[:0], Encoder(())), 0, "")
    return Backtest(predictions, losses, tuple(rules), settings, tuple(dropped))


def with_interval_band(fitted: Fitted, predictions: pd.DataFrame, model: str) -> Fitted:
    """Return the model with its 90 % interval and precedents from ``model``'s out-of-time predictions; without any, unchanged."""
    if (rows := predictions[predictions["model"] == model]).empty:
        return fitted
    return replace(fitted, band=bands.band_of(rows["score"].to_numpy(), rows), about={**fitted.about, "precedents": precedents(rows)})


def tune_model(
    frame: pd.DataFrame, fold: Fold, features: Sequence[str], *, seed: int, trials: int = 20, kind: str = "lightgbm", threads: int = 0
) -> dict[str, Any]:
    """Return the settings that, learned from the fold's fit part, did best on its calibrate part: where that is empty, on half of the customers.

    The fold's test is not looked at, nor the other half of the calibrate part's customers: on them kinds are compared, and more settings to
    try would look better than they are. LightGBM gets ``trials`` of Optuna's TPE over one binned Dataset, logistic a few
    ridges, other kinds their defaults.
    """
    rows = usable_rows(frame)
    tried = rows["cutoff"].isin(fold.calibrate or fold.learned) & tuning.is_tuned_on(rows)
    learn, later = rows[rows["cutoff"].isin(fold.fit) & ~tried], rows[tried]
    return tuning.tuned_settings(kind, learn, later, features, seed=seed, trials=trials, threads=threads)


@dataclass(frozen=True)
class _Made:
    """A model of one fold, and the ranking value of each row it learned from, told by models that had not learned from its customer."""

    fitted: Fitted
    out_of_fold: np.ndarray


def _fit(
    learn: LearningRows,
    fold: Fold,
    kind: str,
    seed: int,
    params: dict[str, Any],
    threads: int,
    about: dict[str, Any],
    made: Mapping[str, _Made] = MappingProxyType({}),
) -> _Made:
    """Return the model of one fold; a blend takes its parts from those ``made`` on it with the same settings."""
    ready = kind == "blend" and all(one in made and made[one].fitted.about["params"] == params.get(one) for one in BLENDED)
    bare = (
        replace(
            made[BLENDED[0]].fitted,
            kind=kind,
            parameters=module("blend").joined_parameters(*(made[one].fitted.parameters for one in BLENDED)),
        )
        if ready
        else learned_model(kind, learn.whole, learn.features, seed, params, threads)
    )
    rows, ranked, parted = learn.rows, learn.whole.values(bare), kind not in ALONE and learn.can_be_parted
    if parted:
        ranked = (
            np.mean([made[one].out_of_fold for one in BLENDED], axis=0) if ready else out_of_fold_values(kind, learn, seed, params, threads)
        )
    told = {
        "trained_until": fold.test.isoformat(),
        "seed": seed,
        "params": params,
        "snapshots": len(rows),
        "base_rate": float(rows["label"].mean()),
        "positives": int(rows.loc[rows["label"] == 1, "customer_id"].nunique()),
        "calibrated_on": "out of fold" if parted else "fit",
    }
    fitted = replace(bare, about={**told, **about}, calibrator=platt_calibrator(ranked, rows["label"].to_numpy(dtype="float64")))
    return _Made(replace(fitted, band=bands.band_of(calibrated(fitted, ranked), rows)), ranked)


def _predictions(test: Encoded, number: int, name: str, fitted: Fitted | None = None) -> pd.DataFrame:
    keys = [key for key in (*ORDER, "group", "label", "outcome_at") if key in test.rows]
    found = test.rows[keys].reset_index(drop=True)
    found.insert(0, "fold", number)
    raw = test.values(fitted) if fitted else np.zeros(len(test.rows))
    return found.assign(model=name, score=calibrated(fitted, raw) if fitted else raw, raw=raw)
