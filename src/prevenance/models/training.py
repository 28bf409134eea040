"""Fit, calibrate and tune on one fold, and repeat it over the folds of the past.

A training frame has customer_id, cutoff (naive UTC), state, value_at_stake, label (1.0, 0.0 or NaN while the window
``(cutoff, cutoff + horizon]`` is open), outcome_at and the feature columns. Only rows at risk with a closed label are used.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError
from prevenance.models import customer_rules, health_score, tuning
from prevenance.models.bundle import Fitted, calibrated, chance, log_odds
from prevenance.models.calibrate import interval_band, platt_calibrator
from prevenance.models.encode import Encoder, fit_encoder
from prevenance.models.folds import Fold, at_risk, sampling_units
from prevenance.models.kinds import BLENDED, module
from prevenance.models.learn import learned_parameters
from prevenance.models.precedents import precedents

FEW, MANY = 20, 100
"""Customers with a matured positive below which there is no model at all, and from which trees may challenge."""

RIVALS = ("base_rate", "rule", "customer_rules")
"""What every model is measured against; each is fitted on the same fold as the models."""

ORDER = ("cutoff", "customer_id", "product_id")


@dataclass(frozen=True)
class Backtest:
    """What the folds of the past said.

    ``predictions``: one row per fold, test snapshot and model: fold (1, 2, ...), cutoff, customer_id[, product_id], label, outcome_at,
    model, score (calibrated chance), raw (what ranks). ``calibrate_loss``: per model the log loss of each customer on the first fold's
    calibrate part, whose labels closed before the first test, of the customers that nothing was tuned on: what the challenger is chosen by.
    ``rules``: per fold the single feature the rule took. ``params``: per kind what was tuned. ``dropped``: per fold the features that were constant or empty.
    """

    predictions: pd.DataFrame
    calibrate_loss: dict[str, tuple[float, ...]] = field(default_factory=dict, hash=False)
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
    rows = usable_rows(frame)
    return int(rows.loc[rows["label"] == 1, "customer_id"].nunique())


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
    """Return the model of one fold: learned from its fit part, calibrated on its calibrate part.

    Args:
        frame: a training frame; its other rows are not looked at.
        fold: with an empty calibrate part the fit part calibrates too (``about["calibrated_on"]`` says so).
        kind: a key of ``models.MODELS``, or ``base_rate``.
        features: the columns that may be used, in order.
        seed: of everything random.
        params: of the estimator; left out, its defaults.
        threads: for LightGBM, 0 means all; it never changes the result.
        about: more to keep with the model (target, horizon_days, ...), plain JSON.

    Raises:
        PrevenanceError: E203 for an unknown kind; E601 if the fit part has no closed label.
    """
    return _fit(usable_rows(frame), fold, kind, features, seed, dict(params or {}), threads, dict(about or {}))


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

    Tuning happens once, on the first fold's fit and calibrate parts, all closed before the first test; ``params`` given for a kind are
    taken instead; those for ``health_score`` make it a rival too.
    ``champion`` is (kind, params): its recipe, refitted in each fold under the name "champion".
    """
    rows = usable_rows(frame)
    settings = {kind: dict((params or {}).get(kind, {})) for kind in kinds}
    # The blend last: it takes the settings of its parts.
    for kind in sorted(kinds, key=lambda one: one == "blend"):
        if kind == "blend" and all(settings.get(one) for one in BLENDED):
            settings[kind] = settings[kind] or {one: settings[one] for one in BLENDED}
        if folds and not settings[kind]:
            settings[kind] = tune_model(rows, folds[0], features, seed=seed, trials=trials, kind=kind, threads=threads)
    asked = _asks(features) and "product_id" not in rows
    recipes: dict[str, tuple[str, dict[str, Any]]] = {name: (name, {}) for name in RIVALS if name != "customer_rules" or asked}
    recipes |= {name: (name, dict(chosen)) for name, chosen in (params or {}).items() if name == "health_score"}
    recipes |= {kind: (kind, settings[kind]) for kind in sorted(kinds, key=lambda one: one == "blend")}
    if champion:
        recipes["champion"] = (champion[0], dict(champion[1]))
    parts, rules, dropped = [], [], []
    losses: dict[str, tuple[float, ...]] = {}
    for number, fold in enumerate(folds, start=1):
        test = rows[rows["cutoff"] == pd.Timestamp(fold.test)]
        # Where settings were chosen, a kind with many of them looks better than it is.
        others = rows[rows["cutoff"].isin(fold.calibrate) & ~tuning.is_tuned_on(rows)]
        made: dict[str, Fitted] = {}
        for name, (kind, chosen) in recipes.items():
            made[name] = fitted = _fit(rows, fold, kind, features, seed, chosen, threads, {}, made)
            parts.append(_predictions(fitted, test, number, name))
            if number == 1:
                losses[name] = tuning.customer_losses(chance(fitted, others), others)
            if name == "rule":
                rules.append(rule_text(fitted))
                dropped.append(fitted.encoder.dropped)
    predictions = pd.concat(parts, ignore_index=True) if parts else _predictions(None, rows.iloc[:0], 0, "")
    return Backtest(predictions, losses if parts else {}, tuple(rules), settings, tuple(dropped))


def with_interval_band(fitted: Fitted, predictions: pd.DataFrame, model: str) -> Fitted:
    """Return the model with its 90 % interval and precedents from ``model``'s out-of-time predictions; without any, unchanged."""
    if (rows := predictions[predictions["model"] == model]).empty:
        return fitted
    return replace(fitted, band=_band(rows["score"].to_numpy(), rows), about={**fitted.about, "precedents": precedents(rows)})


def rule_text(fitted: Fitted) -> str:
    """Return the rule's single feature and direction in words, such as ``days_since_login, largest first``."""
    if not fitted.parameters:
        return "none"
    side = "largest" if fitted.parameters["direction"] > 0 else "smallest"
    return f"{fitted.encoder.features[fitted.parameters['place']]}, {side} first"


def tune_model(
    frame: pd.DataFrame, fold: Fold, features: Sequence[str], *, seed: int, trials: int = 20, kind: str = "lightgbm", threads: int = 0
) -> dict[str, Any]:
    """Return the settings that, learned from the fold's fit part, did best on its calibrate part; {} if there is no such part.

    The fold's test is not looked at, nor is the other half of the calibrate part's customers: on them kinds are compared, and a kind with
    more settings to try would look better than it is. LightGBM gets ``trials`` of Optuna's TPE over one binned Dataset, logistic a few
    ridges, other kinds their defaults.
    """
    rows = usable_rows(frame)
    learn, later = rows[rows["cutoff"].isin(fold.fit)], rows[rows["cutoff"].isin(fold.calibrate) & tuning.is_tuned_on(rows)]
    return tuning.tuned_settings(kind, learn, later, features, seed=seed, trials=trials, threads=threads)


def _fit(
    rows: pd.DataFrame,
    fold: Fold,
    kind: str,
    features: Sequence[str],
    seed: int,
    params: dict[str, Any],
    threads: int,
    about: dict[str, Any],
    made: Mapping[str, Fitted] = MappingProxyType({}),
) -> Fitted:
    """Return the model of one fold; a blend takes its parts from those ``made`` on the same fold with the same settings."""
    learn = rows[rows["cutoff"].isin(fold.fit)]
    later = rows[rows["cutoff"].isin(fold.calibrate)]
    if learn.empty:
        fix = "give a longer history or a shorter horizon_days"
        raise PrevenanceError("E601", f"no closed label among {len(fold.fit)} cutoffs to fit on", fix=fix)
    encoder = health_score.score_encoder(params, features) if kind == "health_score" else fit_encoder(learn, features)
    ready = kind == "blend" and all(one in made and made[one].about["params"] == params.get(one) for one in BLENDED)
    parts = [made[one].parameters for one in BLENDED] if ready else []
    parameters = (
        module("blend").joined_parameters(*parts)
        if ready
        else learned_parameters(kind, encoder, learn, seed=seed, params=params, threads=threads)
    )
    # A rate learns nothing else, so nothing has to be kept apart for it.
    known = pd.concat([learn, later]) if kind == "base_rate" else learn if later.empty else later
    told = {
        "trained_until": fold.test.isoformat(),
        "seed": seed,
        "params": params,
        "snapshots": len(learn),
        "positives": int(learn.loc[learn["label"] == 1, "customer_id"].nunique()),
        "calibrated_on": "fit" if later.empty else "calibrate",
    }
    bare = Fitted(kind, encoder, parameters, (0.0, 0.0), about={**told, **about})
    ranked = log_odds(bare, known)
    fitted = replace(bare, calibrator=platt_calibrator(ranked, known["label"].to_numpy(dtype="float64")))
    return replace(fitted, band=_band(calibrated(fitted, ranked), known))


def _asks(features: Iterable[str]) -> bool:
    return bool(customer_rules.usable_rules(Encoder(tuple(features))))


def _predictions(fitted: Fitted | None, test: pd.DataFrame, number: int, name: str) -> pd.DataFrame:
    keys = [key for key in (*ORDER, "group", "label", "outcome_at") if key in test]
    found = test[keys].reset_index(drop=True)
    found.insert(0, "fold", number)
    raw = log_odds(fitted, test) if fitted else np.zeros(len(test))
    return found.assign(model=name, score=calibrated(fitted, raw) if fitted else raw, raw=raw)


def _band(scores: np.ndarray, rows: pd.DataFrame) -> Any:
    customers, groups = (ids.to_numpy(dtype=object) for ids in (rows["customer_id"], sampling_units(rows)))
    return interval_band(scores, rows["label"].to_numpy(dtype="float64"), customers, groups)
