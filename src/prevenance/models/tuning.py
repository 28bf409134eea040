"""Settings and kinds chosen by trying them on later rows: a fixed number of trials, no clock, the same answer every time.

Which kind may challenge the rule: the simplest that no other surely beats, on customers that nothing was tuned on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prevenance.models import boosted, ridge
from prevenance.models.encode import Encoder, fit_encoder
from prevenance.models.folds import sampling_units
from prevenance.models.kinds import BLENDED
from prevenance.models.learn import labels_of, levels_of

if TYPE_CHECKING:
    from optuna import Trial

Part = tuple[np.ndarray, np.ndarray]
"""A matrix (n, p) of a fitted encoder and its labels (n,)."""

ROUNDS, PATIENCE = 300, 25
TELLING = 200
"""Customers with the outcome on whom LightGBM's settings are tried: among fewer, the best of the trials is the luckiest (of 30, it stopped after 13 trees)."""
STRENGTHS = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)


def tuned_settings(
    kind: str, learn: pd.DataFrame, later: pd.DataFrame, features: Sequence[str], *, seed: int, trials: int, threads: int = 0
) -> dict[str, Any]:
    """Return the settings that, learned from ``learn``, did best on ``later``; {} for a kind that is not tuned or too few rows.

    LightGBM keeps its defaults where fewer than ``TELLING`` customers of ``later`` have the outcome.
    """
    if kind == "blend":
        each = {one: tuned_settings(one, learn, later, features, seed=seed, trials=trials, threads=threads) for one in BLENDED}
        return each if all(each.values()) else {}
    if kind not in ("lightgbm", "logistic") or any(part["label"].nunique() < 2 for part in (learn, later)):
        return {}
    if kind == "lightgbm" and later.loc[later["label"] == 1, "customer_id"].nunique() < TELLING:
        return dict(boosted.DEFAULTS)
    encoder = fit_encoder(learn, features)
    if not encoder.features:
        return {}
    parts = [(encoder.matrix(part), labels_of(part)) for part in (learn, later)]
    if kind == "logistic":
        return tune_ridge(encoder, parts[0], parts[1], levels_of(learn), seed=seed)
    return tune_boosting(encoder, *parts, seed=seed, trials=trials, threads=boosted.threads_for(parts[0][0], threads))


def trials_behind(kind: str, settings: Mapping[str, Any], trials: int) -> int:
    """Return how many settings were tried before ``settings`` of a kind were taken: 0 for one that keeps its defaults.

    >>> trials_behind("logistic", {"strength": 0.01}, 20), trials_behind("lightgbm", boosted.DEFAULTS, 20), trials_behind("rule", {}, 20)
    (6, 0, 0)
    """
    if kind == "blend":
        return sum(trials_behind(one, settings.get(one, {}), trials) for one in BLENDED)
    tried = {"logistic": len(STRENGTHS), "lightgbm": trials}.get(kind, 0)
    return tried if settings and settings != boosted.DEFAULTS else 0


def tune_ridge(encoder: Encoder, learn: Part, later: Part, level: np.ndarray, *, seed: int) -> dict[str, Any]:
    """Return the ridge with the smallest log loss on ``later``; the stronger one on a tie."""
    from threadpoolctl import threadpool_limits

    losses = {}
    with threadpool_limits(limits=1):
        for strength, fitted in zip(STRENGTHS, ridge.fitted_pipelines(encoder, *learn, level, seed=seed, strengths=STRENGTHS), strict=True):
            losses[strength] = log_loss(ridge.log_odds(ridge.parameters(fitted), later[0]), later[1])
    return {"strength": min(losses, key=lambda strength: losses[strength])}


def tune_boosting(encoder: Encoder, learn: Part, later: Part, *, seed: int, trials: int, threads: int = 0) -> dict[str, Any]:
    """Return LightGBM's settings with the smallest log loss on ``later`` after ``trials``, the first of which is the defaults.

    The rows are binned once for all trials. Trials that lag behind the median are pruned; the number of trees is where
    the loss was smallest.
    """
    import lightgbm
    import optuna

    binning: dict[str, Any] = {**boosted.FIXED, "num_threads": threads}
    kept: dict[str, Any] = {"free_raw_data": False, "categorical_feature": list(encoder.categories), "params": binning}
    train = lightgbm.Dataset(*learn, **kept).construct()
    valid = lightgbm.Dataset(*later, reference=train, **kept).construct()

    def objective(trial: Trial) -> float:
        settings = {**_suggested(trial), **binning, "objective": "binary", "metric": "None", "seed": seed}
        watch = _Watch(trial, optuna.TrialPruned)
        lightgbm.train(settings, train, ROUNDS, valid_sets=[valid], feval=_measured, callbacks=[watch])
        trial.set_user_attr("n_estimators", watch.best_round)
        return watch.best

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler, pruner = optuna.samplers.TPESampler(seed=seed), optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=30)
    study = optuna.create_study(sampler=sampler, pruner=pruner)
    # The defaults first: no tuning ends worse than none.
    study.enqueue_trial({name: boosted.DEFAULTS[name] for name in (*WHOLE_NUMBERS, *SHARES)})
    study.optimize(objective, n_trials=trials)
    best = study.best_trial
    return {name: _short(value) for name, value in best.params.items()} | {"n_estimators": best.user_attrs["n_estimators"]}


def log_loss(values: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean log loss of log-odds."""
    return float(np.mean(np.logaddexp(0.0, values) - labels * values))


WHOLE_NUMBERS: dict[str, tuple[int, int]] = {"num_leaves": (3, 31), "min_data_in_leaf": (10, 150)}
SHARES: dict[str, tuple[float, float]] = {"learning_rate": (0.02, 0.15), "feature_fraction": (0.1, 1.0), "lambda_l2": (0.1, 50.0)}
"""Where the trials look, both ends included, on a log scale."""


def _suggested(trial: Trial) -> dict[str, Any]:
    counts = {name: trial.suggest_int(name, low, high, log=True) for name, (low, high) in WHOLE_NUMBERS.items()}
    return counts | {name: _short(trial.suggest_float(name, low, high, log=True)) for name, (low, high) in SHARES.items()}


def _short(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _measured(values: np.ndarray, dataset: Any) -> tuple[str, float, bool]:
    # LightGBM's own metric adds up in threads, and its last digit would depend on how many there are.
    chance = np.clip(values, 1e-12, 1 - 1e-12)
    return "loss", log_loss(np.log(chance / (1 - chance)), dataset.get_label()), False


class _Watch:
    """Watches a trial: keeps its best round, ends it when nothing improves, prunes it when others were better by then."""

    def __init__(self, trial: Trial, pruned: type[Exception]) -> None:
        self.trial, self.pruned, self.best, self.best_round = trial, pruned, float("inf"), 1

    def __call__(self, state: Any) -> None:
        """Take note of one more tree."""
        loss, number = state.evaluation_result_list[0][2], state.iteration + 1
        if loss < self.best:
            self.best, self.best_round = loss, number
        self.trial.report(self.best, number)
        if self.trial.should_prune():
            raise self.pruned
        if number - self.best_round >= PATIENCE:
            from lightgbm.callback import EarlyStopException

            raise EarlyStopException(self.best_round - 1, state.evaluation_result_list)


def is_tuned_on(rows: pd.DataFrame) -> pd.Series:
    """Return of which customers the settings are tuned: bool, about half of them, drawn by the hash of their id (of their group, where accounts have one parent).

    The others are for comparing kinds: on the rows it was tuned on, a kind with more settings to try looks better than it is.
    """
    return pd.Series(pd.util.hash_array(sampling_units(rows).to_numpy(dtype=object)) % 2 == 0, index=rows.index)


def customer_losses(scores: np.ndarray, rows: pd.DataFrame) -> tuple[float, ...]:
    """Return the mean log loss of each customer (or group), by its id; ``scores`` are the chances of ``rows`` (customer_id, label)."""
    label, near = rows["label"].to_numpy(), np.clip(scores, 1e-9, 1 - 1e-9)
    found = pd.Series(-np.where(label > 0, np.log(near), np.log1p(-near)), index=rows.index)
    return tuple(found.groupby(sampling_units(rows)).mean().sort_index())


def challengers_in_order(by_kind: Mapping[str, Sequence[float]], kinds: Sequence[str]) -> tuple[str, ...]:
    """Return whom the gate is to ask, one after another: the chosen challenger, then the others, smallest loss first."""
    first = choose_challenger(by_kind, kinds)
    others = [kind for kind in kinds if kind in by_kind and kind != first]
    return (first, *sorted(others, key=lambda kind: float(np.mean(by_kind[kind])))) if first else ()


def choose_challenger(by_kind: Mapping[str, Sequence[float]], kinds: Sequence[str]) -> str | None:
    """Return the challenger: the simplest kind that no later one of ``kinds`` beats by more than a standard error; None if none was tried."""
    won = [str(one["kind"]) for one in contest(by_kind, kinds) if one["won"]]
    return won[-1] if won else None


def contest(by_kind: Mapping[str, Sequence[float]], kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Return how the challenger was chosen, simplest kind first: kind, loss, against (the simpler one that held until then), gain, error, won.

    Compared is the log loss customer by customer (the one-standard-error rule of Breiman et al., 1984), where every label had closed before
    the first test period, so the gate may still judge the choice on all of them. ``gain`` and its standard ``error`` are of the mean
    difference; ``won`` is gain > error: an equal one leaves the simpler in place. The first has no opponent and wins.
    """
    steps: list[dict[str, Any]] = []
    best = ""
    for kind in (one for one in kinds if one in by_kind):
        loss = np.array(by_kind[kind])
        # Customer by customer, because the same customers are hard for every kind.
        gain = np.array(by_kind[best]) - loss if best else np.zeros(0)
        error = float(gain.std(ddof=1) / np.sqrt(len(gain))) if len(gain) > 1 else 0.0
        mean = float(gain.mean()) if len(gain) else 0.0
        step = {"kind": kind, "loss": float(loss.mean()) if len(loss) else None, "against": best or None}
        steps.append({**step, "gain": mean if best else None, "error": error if best else None, "won": not best or mean > error})
        best = kind if steps[-1]["won"] else best
    return steps
