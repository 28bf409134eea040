"""From a frame of features to the float64 matrix that every model takes.

Numbers stay as they are; text becomes codes of a vocabulary that is learned once and kept with the model, so that tonight's
new word is "other" and never a new column.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError

LEVELS = 50
"""Most words that a text column keeps; the rarer ones share the code "other"."""


@dataclass(frozen=True)
class Encoder:
    """Which columns a model reads, in order, and the words of those that hold text.

    A word's code is its place in ``vocabulary[column]``; other or unseen words share the code after the last; a missing
    word is NaN. ``dropped`` names the columns that said nothing when fitting (constant or empty) and are not read.
    """

    features: tuple[str, ...]
    vocabulary: dict[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    dropped: tuple[str, ...] = ()

    @property
    def categories(self) -> tuple[int, ...]:
        """Return the positions in ``features`` of the columns that hold codes."""
        return tuple(place for place, name in enumerate(self.features) if name in self.vocabulary)

    def matrix(self, frame: pd.DataFrame) -> np.ndarray:
        """Return float64 of shape (n, p), p = number of ``features``; missing and infinite are NaN.

        Raises:
            PrevenanceError: E504 if the frame lacks a feature, or holds words where the model learned numbers, or the other way round.
        """
        if absent := [name for name in self.features if name not in frame]:
            what = f"{len(absent)} of the model's {len(self.features)} inputs are absent: {', '.join(absent[:5])}"
            raise PrevenanceError("E504", what, fix="score with the source tables and feature sets of training, or train again")
        found = np.empty((len(frame), len(self.features)), dtype="float64")
        numeric = numeric_columns(frame)
        plain = [place for place, name in enumerate(self.features) if name in numeric and name not in self.vocabulary]
        # all numbers at once: a column at a time costs more than the model that reads them
        found[:, plain] = _matrix(frame, [self.features[place] for place in plain])
        for place in sorted(set(range(len(self.features))) - set(plain)):
            name = self.features[place]
            words = self.vocabulary.get(name)
            found[:, place] = _numbers(frame[name]) if words is None else _codes(frame[name], words)
            _same_kind(frame[name], words, found[:, place])
        found[~np.isfinite(found)] = np.nan
        return found


def fit_encoder(frame: pd.DataFrame, features: Sequence[str]) -> Encoder:
    """Return the encoder learned from these rows; columns that are constant or empty are dropped and named."""
    numeric = numeric_columns(frame)
    plain = [name for name in features if name in numeric]
    values = dict(zip(plain, _matrix(frame, plain).T, strict=True))
    vocabulary = {name: _words(frame[name]) for name in features if name not in numeric}
    values |= {name: _codes(frame[name], words) for name, words in vocabulary.items()}
    kept = [name for name in features if not _constant(values[name])]
    vocabulary = {name: words for name, words in vocabulary.items() if name in kept}
    return Encoder(tuple(kept), vocabulary, tuple(name for name in features if name not in set(kept)))


def numeric_columns(frame: pd.DataFrame) -> set[str]:
    """Return the columns that hold numbers or flags, nullable ones too."""
    return {str(name) for name, kind in frame.dtypes.items() if pd.api.types.is_numeric_dtype(kind)}


def _matrix(frame: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    return frame[list(names)].to_numpy(dtype="float64", na_value=np.nan)


def _numbers(column: pd.Series) -> np.ndarray:
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)


def _codes(column: pd.Series, words: tuple[str, ...]) -> np.ndarray:
    codes = pd.Index(words, dtype=object).get_indexer(column.astype(object)).astype("float64")
    # A word never seen is not missing: somebody filled it in.
    codes[codes < 0] = float(len(words))
    return np.where(column.isna().to_numpy(), np.nan, codes)


def _words(column: pd.Series) -> tuple[str, ...]:
    counts = column.dropna().astype(str).value_counts()
    # By the word where counts are equal: the codes must not depend on the order of rows.
    return tuple(sorted(counts.index, key=lambda word: (-counts[word], word))[:LEVELS])


def _same_kind(column: pd.Series, words: tuple[str, ...] | None, values: np.ndarray) -> None:
    """Raise E504 where a column that held numbers when the model learned holds words now, or the other way round."""
    numeric = pd.api.types.is_numeric_dtype(column)
    if numeric == (words is None) or not (column.notna().to_numpy() & (np.isnan(values) | numeric)).any():
        return
    learned, now = ("numbers", "words") if words is None else ("words", "numbers")
    fix = "bring the column back as it was, or run make train again"
    raise PrevenanceError("E504", f"the model learned {learned} in {column.name}, and now it holds {now}", fix=fix, column=column.name)


def _constant(values: np.ndarray) -> bool:
    """Return whether the values hold one thing only; a column that is partly missing holds two."""
    finite = values[np.isfinite(values)]
    return finite.size == 0 or (finite.size == values.size and finite.min() == finite.max())
