"""The rules a customer-success team already works by, as a score of 0, 1, 2, ...: the other thing a model must beat."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder

if TYPE_CHECKING:
    from sklearn.preprocessing import FunctionTransformer


@dataclass(frozen=True)
class CustomerRule:
    """One point where every condition ``(column, "<=" | ">" | "<", number)`` holds; a missing value never does."""

    name: str
    conditions: tuple[tuple[str, str, float], ...]


RULES = (
    CustomerRule("use halved in four weeks", (("logins_28d_trend", "<=", -1 / 3),)),
    CustomerRule("more than three tickets in four weeks", (("tickets_28d", ">", 3.0),)),
    CustomerRule("renewal within 90 days and falling use", (("days_to_renewal", "<=", 90.0), ("logins_28d_trend", "<", 0.0))),
)
"""A trend of -1/3 is a halving: (1 - 2) / (1 + 2)."""

COMPARE = {"<=": np.less_equal, "<": np.less, ">": np.greater}


def usable_rules(encoder: Encoder, rules: tuple[CustomerRule, ...] = RULES) -> tuple[CustomerRule, ...]:
    """Return the rules whose every column is a feature here; the others cannot be asked."""
    return tuple(rule for rule in rules if all(column in encoder.features for column, _, _ in rule.conditions))


def points(matrix: np.ndarray, rules: list[dict[str, Any]]) -> np.ndarray:
    """Return which rules hold, 0.0 or 1.0 of shape (n, number of rules)."""
    found = [np.all([COMPARE[sign](matrix[:, place], bound) for place, sign, bound in rule["conditions"]], axis=0) for rule in rules]
    return np.array(found, dtype="float64").reshape(len(rules), len(matrix)).T


def estimator(encoder: Encoder, *, seed: int, threads: int = 0, rules: tuple[CustomerRule, ...] = RULES) -> FunctionTransformer:
    """Return the estimator that gives each row its points; it learns nothing, so ``seed`` and ``threads`` change nothing."""
    from sklearn.preprocessing import FunctionTransformer

    asked = [asdict(rule) for rule in usable_rules(encoder, rules)]
    for rule in asked:
        rule["conditions"] = [[encoder.features.index(column), sign, bound] for column, sign, bound in rule["conditions"]]
    return FunctionTransformer(points, kw_args={"rules": asked})


def parameters(estimator: FunctionTransformer) -> dict[str, Any]:
    """Return the rules that were asked, their columns as positions."""
    return {"rules": estimator.kw_args["rules"]}


def log_odds(parameters: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the number of rules that hold, shape (n,)."""
    return points(matrix, parameters["rules"]).sum(axis=1)


def contributions(parameters: dict[str, Any], matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Return 0 and each rule's point at its first column: exact, shape (n, p)."""
    found = np.zeros(matrix.shape)
    held = points(matrix, parameters["rules"])
    for number, rule in enumerate(parameters["rules"]):
        found[:, rule["conditions"][0][0]] += held[:, number]
    return 0.0, found
