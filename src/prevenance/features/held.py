"""The inputs of everybody at a cutoff, held as the file that is published: written a part at a time, read by column or by row."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import IO, TYPE_CHECKING, TypeAlias, overload

import numpy as np
import pandas as pd

from prevenance.base import formats

if TYPE_CHECKING:
    import pyarrow.parquet as pq

    from prevenance.consent.pseudonyms import Pseudonyms

KEYS = ("customer_id", "cutoff", "product_id")


@dataclass(frozen=True)
class HeldInputs:
    """Keys and inputs of ``n`` rows. As of a frame one asks for ``[name]``, ``[names]``, ``name in``, ``len`` and ``take(places)``.

    ``content`` is Parquet, or it stands in an open ``file``; ``keys`` (customer_id, cutoff[, product_id]; n rows) are given apart: they may be pseudonyms there. ``more``
    are further columns of the same rows; of a part only the rows of the file at ``places`` are meant.
    """

    content: bytes = field(repr=False)
    keys: pd.DataFrame
    more: pd.DataFrame | None = None
    places: np.ndarray | None = None
    file: IO[bytes] | None = field(default=None, repr=False)

    @cached_property
    def _file(self) -> pq.ParquetFile:
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.file or io.BytesIO(self.content))

    @cached_property
    def columns(self) -> list[str]:
        """Return the names of all columns: keys first, then inputs in the order of the file."""
        own = [name for name in self._file.schema_arrow.names if name not in KEYS]
        return [*self.keys, *own, *(() if self.more is None else (name for name in self.more if name not in own))]

    def __len__(self) -> int:
        return len(self.keys)

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    @overload
    def __getitem__(self, asked: str) -> pd.Series: ...
    @overload
    def __getitem__(self, asked: list[str]) -> pd.DataFrame: ...
    def __getitem__(self, asked: str | list[str]) -> pd.Series | pd.DataFrame:
        names = [asked] if isinstance(asked, str) else asked
        if lacking := [name for name in names if name not in self.columns]:
            raise KeyError(lacking[0])
        found = self._beside(self.stored([name for name in dict.fromkeys(names) if not self._is_beside(name)]), names)
        return found[asked] if isinstance(asked, str) else found

    def stored(self, names: list[str]) -> pd.DataFrame:
        """Return columns as they stand in the file."""
        if not names:
            return pd.DataFrame(index=range(len(self)))
        read = self._file.read(columns=names).to_pandas()
        return read if self.places is None else read.take(self.places).reset_index(drop=True)

    def take(self, places: np.ndarray, names: list[str] | None = None) -> pd.DataFrame:
        """Return the rows at ``places`` (integers from 0) with the columns ``names``, else all; no more than a group of rows of the file is held beside them."""
        wanted = np.asarray(places) if self.places is None else self.places[np.asarray(places)]
        names = self.columns if names is None else names
        stored = [name for name in names if not self._is_beside(name)]
        sizes = [self._file.metadata.row_group(number).num_rows for number in range(self._file.num_row_groups)]
        ends = np.cumsum(sizes, dtype=np.int64)
        order = np.argsort(wanted, kind="stable")
        group = np.searchsorted(ends, wanted[order], side="right")
        parts = []
        for number in np.unique(group):
            inside = wanted[order[group == number]] - (ends[number] - sizes[number])
            parts.append(self._file.read_row_group(int(number), columns=stored).take(inside).to_pandas())
        read = pd.concat(parts, ignore_index=True) if parts else self._file.schema_arrow.empty_table().select(stored).to_pandas()
        back = np.empty(len(order), dtype=np.int64)
        back[order] = np.arange(len(order))
        keys = self.keys.take(places).reset_index(drop=True)
        more = None if self.more is None else self.more.take(places).reset_index(drop=True)
        return replace(self, keys=keys, more=more)._beside(read.take(back).reset_index(drop=True), names)

    def only(self, chosen: np.ndarray) -> HeldInputs:
        """Return the rows for which ``chosen`` (bool of shape (n,)) holds."""
        places = np.flatnonzero(chosen)
        more = None if self.more is None else self.more.take(places).reset_index(drop=True)
        kept = places if self.places is None else self.places[places]
        return replace(self, keys=self.keys.take(places).reset_index(drop=True), more=more, places=kept)

    def assign(self, **columns: np.ndarray | pd.Series) -> HeldInputs:
        """Return the same with further columns, each of n values."""
        added = pd.DataFrame({name: np.asarray(values) for name, values in columns.items()}, index=self.keys.index)
        return replace(self, more=added if self.more is None else pd.concat([self.more, added], axis=1))

    def _is_beside(self, name: str) -> bool:
        return name in self.keys or (self.more is not None and name in self.more)

    def _beside(self, read: pd.DataFrame, names: list[str]) -> pd.DataFrame:
        """Return the columns asked for: read from the file, or held beside it for the same rows."""
        held = {name: self.keys[name] if name in self.keys else self.more[name] for name in names if self._is_beside(name)}  # type: ignore[index]
        return pd.DataFrame({name: held[name].set_axis(read.index) if name in held else read[name] for name in names}, copy=False)


InputRows: TypeAlias = pd.DataFrame | HeldInputs
"""Keys and inputs of many rows: a frame, or held as a file."""


AT_ONCE = 16
"""Columns that are read at a time."""


def each_column(rows: InputRows, names: Sequence[str]) -> Iterator[pd.Series]:
    """Give columns one by one, of which a few are held at a time."""
    for start in range(0, len(names), AT_ONCE):
        some = rows[[*names[start : start + AT_ONCE]]]
        yield from (some[name] for name in some)


def held_inputs(parts: Iterable[pd.DataFrame]) -> HeldInputs:
    """Return the inputs given part by part (at least one, which may be empty): keys and inputs; the same bytes whatever the parts."""
    filed = filed_inputs(parts, written := io.BytesIO())
    return replace(filed, content=written.getvalue(), file=None)


def filed_inputs(parts: Iterable[pd.DataFrame], file: IO[bytes]) -> HeldInputs:
    """Return ``held_inputs`` of the same parts, held in a file that is open for writing and reading."""
    keys: list[pd.DataFrame] = []

    def noted() -> Iterable[pd.DataFrame]:
        for part in parts:
            keys.append(part[[name for name in KEYS if name in part]])
            yield part

    formats.write_parquet(noted(), file)
    return HeldInputs(b"", pd.concat(keys, ignore_index=True), file=file)


def hidden_content(inputs: HeldInputs, hidden: Pseudonyms) -> bytes:
    """Return the file of the same rows under pseudonyms, ordered by them."""
    keys = hidden.hidden(inputs.keys.assign(_place=np.arange(len(inputs))))
    places = keys.pop("_place").to_numpy()

    def parts() -> Iterable[pd.DataFrame]:
        for first in range(0, max(1, len(places)), formats.GROUP):
            part = inputs.take(places[first : first + formats.GROUP])
            yield part.assign(customer_id=keys["customer_id"].iloc[first : first + formats.GROUP].to_numpy())

    return formats.parquet_parts(parts())


def opened_inputs(content: bytes, shown: Callable[[pd.DataFrame], pd.DataFrame]) -> HeldInputs:
    """Return the inputs in a published file; ``shown`` gives its keys in clear, ordered by them (with their further column)."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(io.BytesIO(content))
    stored = file.read(columns=[name for name in KEYS if name in file.schema_arrow.names]).to_pandas()
    keys = shown(stored.assign(_place=np.arange(len(stored))))
    return HeldInputs(content, keys.drop(columns="_place"), places=keys["_place"].to_numpy())


def rows_of(inputs: InputRows, asked: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return the rows of ``inputs`` that have the ``keys`` of a row of ``asked``, in the order of ``asked``; what is not there is left out."""
    there = pd.MultiIndex.from_frame(inputs[keys]).get_indexer(pd.MultiIndex.from_frame(asked[keys]))
    return inputs.take(there[there >= 0]).reset_index(drop=True)
