"""What a model said at past Mondays, kept in ``<out>/memo/chances/``: used where everything that it depends on is as it was, else worked out anew.

Only chances are kept. The decision is walked anew every night: answers, consents and the draw of a hold-out count as of tonight.
"""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd

from prevenance.base import formats, memo
from prevenance.features.build import definitions_giving
from prevenance.features.define import Definition
from prevenance.history.history import History
from prevenance.targets.target import Target

OUTSIDE = ""
"""State of an offer that was asked for at a Monday and was not in the cohort then."""

CHANCES = ("state0", "value_at_stake", "score")


@dataclass
class Remembered:
    """The memo of one target: file by Monday, read at once, and what of it was asked for.

    ``digests`` are those of the rows visible at each Monday (``digests_at``), ``model`` that of the model; ``plugged`` of the code of
    plug-ins. With no ``folder`` nothing is kept or read.
    """

    folder: Path | None
    model: str
    plugged: str = ""
    digests: Mapping[datetime, str] = field(default_factory=dict)
    keys: dict[datetime, str] = field(default_factory=dict)
    held: dict[datetime, pd.DataFrame] = field(default_factory=dict)
    made: int = 0

    def open(
        self, history: History, target: Target, definitions: Iterable[Definition], columns: list[str], mondays: list[datetime]
    ) -> None:
        """Read what is kept of these Mondays under the key of everything that a chance depends on."""
        if self.folder is None:
            return
        # of the parts that are the same at every Monday one key is made once: there are many definitions
        parts = {
            "target": target,
            "definitions": definitions_giving(tuple(definitions), columns),
            "columns": columns,
            "model": self.model,
            "begins": dict(history.begins),
            "code": memo.code_digest(),
            "plugged": self.plugged,
        }
        common = memo.key_of(parts)
        for monday in mondays:
            rows = self.digests.get(monday)
            if rows is None:
                continue
            self.keys[monday] = memo.key_of({"common": common, "monday": monday.isoformat(), "rows": rows})
            content = memo.kept_bytes(self._path(monday))
            if content is not None and (frame := _frame(content, target)) is not None:
                self.held[monday] = frame

    def batches(
        self, mondays: Iterable[datetime], asked: pd.DataFrame | None, target: Target, size: int
    ) -> Iterator[tuple[pd.DataFrame | None, list[datetime]]]:
        """Give what is to be worked out, up to ``size`` Mondays at once: the offers to ask for (None: everybody) and the Mondays that lack them.

        ``asked`` are the offers of tonight, None for a target without offers.
        """
        groups: list[tuple[pd.DataFrame | None, list[datetime]]] = []
        for monday in mondays:
            held, lacking = self.held.get(monday), asked
            if held is not None and asked is not None:
                there = pd.MultiIndex.from_frame(held[target.keys])
                lacking = asked[~pd.MultiIndex.from_frame(asked[target.keys]).isin(there)]
            if held is not None and (lacking is None or lacking.empty):
                continue
            same = (batch for other, batch in groups if other is lacking or (other is not None and other.equals(lacking)))
            batch = next(same, None)
            if batch is None:
                groups.append((lacking, [monday]))
            else:
                batch.append(monday)
        return ((lacking, batch[first : first + size]) for lacking, batch in groups for first in range(0, len(batch), size))

    def add(self, monday: datetime, rows: pd.DataFrame, asked: pd.DataFrame | None, target: Target) -> None:
        """Keep the rows (keys and ``CHANCES``) worked out for a Monday beside those kept already; ``asked`` as ``batches`` gave it."""
        self.made += 1
        rows = rows[[*target.keys, *CHANCES]]
        if asked is not None:
            others = asked[target.keys].merge(rows[target.keys], on=target.keys, how="left", indicator=True)
            others = others.loc[others["_merge"] == "left_only", target.keys].assign(state0=OUTSIDE)
            parts = [one for one in (self.held.get(monday), rows, others.reindex(columns=rows.columns)) if one is not None and len(one)]
            rows = pd.concat(parts).sort_values(target.keys, ignore_index=True).astype(_types(target)) if parts else rows
        self.held[monday] = rows.reset_index(drop=True)
        if self.folder is not None and monday in self.keys:
            memo.keep(self._path(monday), formats.parquet_bytes(self.held[monday]))

    def rows(self, monday: datetime, asked: pd.DataFrame | None, target: Target) -> pd.DataFrame:
        """Return keys, cutoff and ``CHANCES`` of the cohort of a Monday, of ``asked`` offers where there are offers, in the cohort's order."""
        held = self.held[monday]
        if asked is not None:
            held = held[(held["state0"] != OUTSIDE)].merge(asked[target.keys], on=target.keys)
        at = pd.Series(monday, index=held.index, dtype="datetime64[us]")
        return pd.concat([held[target.keys], at.rename("cutoff"), held[list(CHANCES)]], axis=1)

    def close(self) -> None:
        """Remove what tonight did not ask for."""
        if self.folder is not None:
            memo.forget_others(self.folder, {self._path(monday).name for monday in self.keys})

    def _path(self, monday: datetime) -> Path:
        return (self.folder or Path()) / f"{formats.instant_stamp(monday)}-{self.keys[monday]}"


def _frame(content: bytes, target: Target) -> pd.DataFrame | None:
    try:
        found = pd.read_parquet(io.BytesIO(content))
        return found[[*target.keys, *CHANCES]].astype(_types(target))
    except (OSError, ValueError, KeyError):
        return None


def _types(target: Target) -> dict[str, str]:
    return dict.fromkeys([*target.keys, "state0"], "str") | {"value_at_stake": "float64", "score": "float64"}
