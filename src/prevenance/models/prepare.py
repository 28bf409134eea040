"""What logistic regression and neural nets need before they see numbers: no holes, one scale, one column per word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from prevenance.models.encode import Encoder

if TYPE_CHECKING:
    from sklearn.compose import ColumnTransformer

LIMIT = 6.0
"""A prepared number is at most this many standard deviations from the mean: one absurd value moves nobody to the top alone."""


def signed_log(values: np.ndarray) -> np.ndarray:
    """Return ``sign(v) * log(1 + |v|)``: counts and money lose their long tail, shares hardly change."""
    found = np.abs(values)
    return np.copysign(np.log1p(found, out=found), values, out=found)


def clipped(values: np.ndarray) -> np.ndarray:
    """Return the values within ``[-LIMIT, LIMIT]``."""
    return np.clip(values, -LIMIT, LIMIT)


def preparation(encoder: Encoder) -> ColumnTransformer:
    """Return the unfitted transformer: median and a missing mark, signed log, one scale; a centred column per word.

    Steps work in place on the columns that the transformer picked, never on the caller's matrix.
    """
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

    numbers = make_pipeline(
        SimpleImputer(strategy=np.median, add_indicator=True, copy=False),
        FunctionTransformer(signed_log),
        StandardScaler(copy=False),
        FunctionTransformer(clipped),
    )
    words = [np.arange(len(encoder.vocabulary[encoder.features[place]]) + 1.0) for place in encoder.categories]
    categories = make_pipeline(
        OneHotEncoder(categories=words, handle_unknown="ignore", sparse_output=False), StandardScaler(with_std=False)
    )
    numeric = [place for place in range(len(encoder.features)) if place not in set(encoder.categories)]
    return ColumnTransformer([("numbers", numbers, numeric), ("categories", categories, list(encoder.categories))])


def preparation_state(fitted: ColumnTransformer) -> dict[str, Any]:
    """Return what a fitted preparation learned, as plain JSON; ``prepared_columns`` reads it."""
    state: dict[str, Any] = {"numbers": [], "fill": [], "missing": [], "mean": [], "scale": [], "categories": [], "share": []}
    for name, steps, places in fitted.transformers_:
        if name == "numbers" and len(places):
            imputer, scaler = steps[0], steps[2]
            state |= {"numbers": list(places), "fill": imputer.statistics_.tolist(), "missing": imputer.indicator_.features_.tolist()}
            state |= {"mean": scaler.mean_.tolist(), "scale": scaler.scale_.tolist()}
        if name == "categories" and len(places):
            counts = [len(words) for words in steps[0].categories_]
            state |= {"categories": [list(pair) for pair in zip(places, counts, strict=True)], "share": steps[1].mean_.tolist()}
    return state


def prepared_columns(state: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Return the prepared columns, float64 of shape (n, q), exactly as the fitted preparation gives them."""
    numbers = matrix[:, state["numbers"]]
    holes = np.isnan(numbers)
    filled = np.where(holes, np.array(state["fill"]), numbers)
    columns = signed_log(np.column_stack([filled, holes[:, state["missing"]]]))
    columns = clipped((columns - np.array(state["mean"])) / np.array(state["scale"]))
    words = [matrix[:, [place]] == np.arange(count) for place, count in state["categories"]]
    return np.column_stack([columns, np.column_stack(words) - np.array(state["share"])]) if words else columns


def column_owners(state: dict[str, Any]) -> np.ndarray:
    """Return for each prepared column the position of the feature it comes from, integers of shape (q,)."""
    numbers = state["numbers"]
    words = [place for place, count in state["categories"] for _ in range(count)]
    return np.array([*numbers, *(numbers[place] for place in state["missing"]), *words], dtype=int)
