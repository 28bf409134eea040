"""What a model said at past Mondays, kept in ``<out>/memo/chances/``: used where everything that it depends on is as it was, else worked out anew.

Only chances are kept. The decision is walked anew every night: answers, consents and the draw of a hold-out count as of tonight.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from prevenance.base import formats, memo
from prevenance.features.build import definitions_giving
from prevenance.features.define import Definition, State
from prevenance.features.planned import shared_definitions
from prevenance.features.states import needed_since
from prevenance.history.digests import Seen, customer_groups
from prevenance.history.history import History
from prevenance.targets.target import Target

OUTSIDE = ""
"""State of an offer that was asked for at a Monday and was not in the cohort then."""

CHANCES = ("state0", "value_at_stake", "score")


@dataclass
class Remembered:
    """The memo of one target: file by Monday, read at once, and what of it was asked for.

    ``digests`` are those of the rows visible at each Monday (``digests_at``), ``model`` that of the model; ``plugged`` of the code of
    plug-ins. Where everything treats each customer alone, ``groups`` (customer_id -> group) says whose chances stand while the rows of their
    group are as they were. With no ``folder`` nothing is kept or read.
    """

    folder: Path | None
    model: str
    plugged: str = ""
    digests: Mapping[datetime, Seen] = field(default_factory=dict)
    keys: dict[datetime, str] = field(default_factory=dict)
    held: dict[datetime, pd.DataFrame] = field(default_factory=dict)
    made: int = 0
    groups: pd.Series | None = None
    changed: dict[datetime, np.ndarray] = field(default_factory=dict)

    def open(
        self, history: History, target: Target, definitions: Iterable[Definition], columns: list[str], mondays: list[datetime]
    ) -> None:
        """Read what is kept of these Mondays under the key of everything that a chance depends on."""
        if self.folder is None:
            return
        needed = definitions_giving(tuple(definitions), columns)
        # of the parts that are the same at every Monday one key is made once: there are many definitions
        parts = {
            "target": target,
            "definitions": needed,
            "columns": columns,
            "model": self.model,
            "begins": dict(history.begins),
            "code": memo.code_digest(),
            "plugged": self.plugged,
        }
        common, since = memo.key_of(parts), dict[str, datetime | None]()
        if target.alone and not target.pairs and "customers" in history.tables and shared_definitions(needed) == needed:
            self.groups = customer_groups(history)
            for one in needed:
                since |= needed_since(history, one) if isinstance(one, State) else {}
        for monday in mondays:
            if (seen := self.digests.get(monday)) is None:
                continue
            told: dict[str, object] = {"rows": seen.whole}
            if self.groups is not None:
                told = {"beside": seen.beside, "unknown": sorted(name for name, first in since.items() if first is None or monday < first)}
            self.keys[monday] = memo.key_of({"common": common, "monday": monday.isoformat(), **told})
            content = memo.kept_bytes(self._path(monday))
            if content is not None and (found := _frame(content, target)) is not None:
                self._hold(monday, *found)

    def _hold(self, monday: datetime, frame: pd.DataFrame, groups: list[str]) -> None:
        """Take the rows of a file whose group is as it was."""
        if self.groups is None:
            self.held[monday] = frame
            return
        changed = np.array([one != other for one, other in zip(groups, self.digests[monday].groups, strict=True)])
        place = frame["customer_id"].map(self.groups)
        kept = place.notna() & ~changed[place.fillna(0).astype(int)]
        self.held[monday], self.changed[monday] = frame[kept.to_numpy()].reset_index(drop=True), changed

    def _lacking(self, monday: datetime, asked: pd.DataFrame | None, target: Target) -> pd.DataFrame | None:
        """Return whom to ask for at a Monday: all of ``asked`` (None: everybody), or those whose rows are not kept."""
        held = self.held.get(monday)
        if held is None:
            return asked
        if asked is not None:
            there = pd.MultiIndex.from_frame(held[target.keys])
            return asked[~pd.MultiIndex.from_frame(asked[target.keys]).isin(there)]
        customers = [] if self.groups is None else self.groups.index[self.changed[monday][self.groups.to_numpy()]]
        return pd.DataFrame({"customer_id": customers}, dtype="str")

    def batches(
        self, mondays: Iterable[datetime], asked: pd.DataFrame | None, target: Target, size: int
    ) -> Iterator[tuple[pd.DataFrame | None, list[datetime]]]:
        """Give what is to be worked out, up to ``size`` Mondays at once: the offers or customers to ask for (None: everybody) and the Mondays.

        ``asked`` are the offers of tonight, None for a target without offers.
        """
        groups: list[tuple[pd.DataFrame | None, list[datetime]]] = []
        for monday in mondays:
            lacking = self._lacking(monday, asked, target)
            if monday in self.held and (lacking is None or lacking.empty):
                if self.groups is not None and self.changed[monday].any():
                    self._keep(monday)  # who is gone is gone from here, too
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
            others = others.loc[others["_merge"] == "left_only", target.keys].assign(state0=OUTSIDE).iloc[: None if target.pairs else 0]
            parts = [one for one in (self.held.get(monday), rows, others.reindex(columns=rows.columns)) if one is not None and len(one)]
            rows = pd.concat(parts).sort_values(target.keys, ignore_index=True).astype(_types(target)) if parts else rows
        self.held[monday] = rows.reset_index(drop=True)
        self._keep(monday)

    def _keep(self, monday: datetime) -> None:
        if self.folder is not None and monday in self.keys:
            told = [] if self.groups is None else self.digests[monday].groups
            memo.keep(self._path(monday), json.dumps(told).encode() + b"\n" + formats.parquet_bytes(self.held[monday]))

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


def _frame(content: bytes, target: Target) -> tuple[pd.DataFrame, list[str]] | None:
    """Return the rows of a file, and the digests of the groups of customers that they were worked out from."""
    told, _, rows = content.partition(b"\n")
    try:
        found = pd.read_parquet(io.BytesIO(rows))
        return found[[*target.keys, *CHANCES]].astype(_types(target)), [str(one) for one in json.loads(told)]
    except (OSError, ValueError, KeyError):
        return None


def _types(target: Target) -> dict[str, str]:
    return dict.fromkeys([*target.keys, "state0"], "str") | {"value_at_stake": "float64", "score": "float64"}
