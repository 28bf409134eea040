"""A history in a notebook: what was read, snapshots of a target, their features and labels, and what can be learned from."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cached_property

import pandas as pd

from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.features.build import build, feature_columns, usable_definitions
from prevenance.features.define import Definition
from prevenance.features.sets import SETS
from prevenance.features.sets import definitions as all_definitions
from prevenance.history.history import History, as_of_instant, visible_sql
from prevenance.models.training import usable_rows
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.schema import Settings
from prevenance.runs.settings.support import hours_of
from prevenance.runs.snapshots import cutoffs_of, lookbacks_of, target_of, with_unjudged
from prevenance.sources.files import sql_name
from prevenance.tables.canonical import TABLES
from prevenance.targets.labels import cohort, label
from prevenance.targets.target import Target

Cutoffs = Iterable[str | datetime]


@dataclass(frozen=True)
class KnownHistory:
    """Everything that was known at ``as_of``; made by ``Project.history``. Nothing of it is later, whatever is asked, but
    ``counts``, ``messages`` and ``quarantine``: these tell what became of every row that was read, later ones too.

    >>> history = project.history(as_of="2026-07-01")
    >>> history.as_of, history.tables[:3]
    (datetime.datetime(2026, 6, 30, 22, 0), ['consents', 'contacts', 'customers'])

    A target is the name of one (``"churn"``, with the settings of the project) or a ``Target`` of one's own. Cutoffs are naive UTC
    instants or ISO text; a bare date is 00:00 in the source's time zone. Left out, they are those that a training would take.
    """

    inputs: Inputs
    settings: Callable[[str], Settings]

    @property
    def as_of(self) -> datetime:
        """Return the instant (naive UTC) after which nothing is known."""
        return self.inputs.as_of

    @property
    def history(self) -> History:
        """Return the history itself, as targets and features are asked of it."""
        return self.inputs.history

    @property
    def tables(self) -> list[str]:
        """Return the canonical tables that the source gives."""
        return sorted(self.inputs.history.tables)

    @property
    def messages(self) -> list[str]:
        """Return what was noticed while reading, a sentence each."""
        return list(self.inputs.messages)

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Return what became of every row, by table: read = used + excluded + quarantined; how many for which reason; newest_known_at.

        >>> rows = history.counts.loc["tickets"]
        >>> bool(rows["read"] == rows["used"] + rows["excluded"] + rows["quarantined"])
        True
        """
        rows = {name: asdict(one) for name, one in self.inputs.counts.items()}
        for one in rows.values():
            why = {f"{part} {reason}": n for part in ("excluded", "quarantined") for reason, n in one[part].items()}
            one |= {"excluded": sum(one["excluded"].values()), "quarantined": sum(one["quarantined"].values()), "why": why}
        found = pd.DataFrame.from_dict(rows, orient="index")
        return found.rename_axis("table")[["read", "used", "excluded", "quarantined", "why", "newest_known_at"]]

    def quarantine(self, table: str) -> pd.DataFrame:
        """Return the rows of a table that were set apart: _file, _line, reason and the row's key, no free text; empty where none was.

        Raises:
            PrevenanceError: E203 for a table that is none.
        """
        self._check_table(table)
        columns = ["_file", "_line", "reason", *(key for key in TABLES[table].key if key in TABLES[table].names)]
        con = self.history.con
        held = f"select column_name from duckdb_columns() where schema_name = 'quarantine' and table_name = '{table}'"
        there = {row[0] for row in con.execute(held).fetchall()}
        names = [name for name in dict.fromkeys(columns) if name in there]
        return (
            con.execute(f"select {', '.join(map(sql_name, names))} from quarantine.{table}").df()
            if names
            else pd.DataFrame(columns=columns)
        )

    def table(self, name: str, *, as_of: str | datetime | None = None) -> pd.DataFrame:
        """Return the rows of a canonical table that are visible at ``as_of`` (else the history's), newest first, without personal columns.

        Raises:
            PrevenanceError: E203 for a table that the source does not give.
        """
        self._check_table(name)
        moment = self.as_of if as_of is None else self._instants([as_of])[0]
        shown = ", ".join(sql_name(one.name) for one in TABLES[name].columns if not one.personal and not one.apart)
        return self.history.con.execute(f"select {shown} from {visible_sql(name, moment)} order by event_at desc, {shown}").df()

    def cutoffs(self, target: str) -> list[datetime]:
        """Return the cutoffs that a training of ``target`` takes: naive UTC, ascending, each with a label window that has closed.

        Raises:
            PrevenanceError: E601 when no label window is closed yet.
        """
        return cutoffs_of(self.settings(target), target_of(self.settings(target)), self.inputs)

    def cohort(self, target: str | Target, cutoffs: Cutoffs | None = None) -> pd.DataFrame:
        """Return who is asked about, a row a snapshot: state (``at_risk``, ``too_late``, ``not_enough_data``) and value_at_stake (money a year, or null).

        The index is (customer_id, cutoff), of targets of offers (customer_id, cutoff, product_id), here and below.
        """
        found = self._snapshots(target, cutoffs)
        return found.set_index(_keys(found))

    def features(
        self,
        target: str | Target,
        cutoffs: Cutoffs | None = None,
        *,
        sets: Sequence[str] | None = None,
        lookbacks: Sequence[int] | None = None,
        more: Sequence[Definition] = (),
    ) -> pd.DataFrame:
        """Return the features of everybody in the cohort: one float64 column a feature, text for categories.

        Windows are ``(cutoff - days, cutoff]`` in both clocks. ``prevenance.features()`` says what each column means.

        >>> X = history.features("churn", cutoffs=["2026-03-01", "2026-04-01"])
        >>> X.index.names, "tickets_28d" in X
        (FrozenList(['customer_id', 'cutoff']), True)

        Args:
            target: whose cohort.
            cutoffs: left out, those of a training.
            sets: names of feature sets; left out, those of the project.
            lookbacks: days; left out, those of the project that the history is long enough for.
            more: definitions of one's own, beside them.

        Raises:
            PrevenanceError: E203 for an unknown set, E202 for a lookback below 1, E210 for a definition that names what does not exist.
        """
        found = self._snapshots(target, cutoffs)
        definitions = self.definitions(target, sets=sets, lookbacks=lookbacks, more=more)
        built = build(self.history, found, definitions)
        return built.set_index(_keys(found))[feature_columns(definitions)]

    def labels(self, target: str | Target, cutoffs: Cutoffs | None = None) -> pd.Series:
        """Return the label of everybody in the cohort: 1.0, 0.0, or NaN while the window ``(cutoff, cutoff + horizon]`` is open.

        >>> history.labels("churn", cutoffs=["2026-06-01"]).isna().all()  # its 90 days are not over
        np.True_
        """
        found = label(self.history, self._target(target), self._snapshots(target, cutoffs))
        return found.set_index(_keys(found))["label"]

    def training(
        self,
        target: str | Target,
        cutoffs: Cutoffs | None = None,
        *,
        sets: Sequence[str] | None = None,
        lookbacks: Sequence[int] | None = None,
        more: Sequence[Definition] = (),
    ) -> tuple[pd.DataFrame, pd.Series]:
        """Return (X, y) of what can be learned from: those at risk whose label has closed. Nothing else is left out; arguments as ``features``.

        >>> X, y = history.training("churn")
        >>> X.index.equals(y.index), sorted(y.unique().tolist())
        (True, [0.0, 1.0])
        """
        moments = None if cutoffs is None else list(cutoffs)
        found = label(self.history, self._target(target), self._snapshots(target, moments))
        kept = usable_rows(found)
        keys = _keys(kept)
        X = self.features(target, moments, sets=sets, lookbacks=lookbacks, more=more)
        return X.loc[pd.MultiIndex.from_frame(kept[keys])], kept.set_index(keys)["label"]

    def definitions(
        self,
        target: str | Target,
        *,
        sets: Sequence[str] | None = None,
        lookbacks: Sequence[int] | None = None,
        more: Sequence[Definition] = (),
    ) -> tuple[Definition, ...]:
        """Return the definitions behind ``features``: those of the project whose tables are there, and ``more``."""
        given = self.settings(target if isinstance(target, str) else "")
        chosen = sets or given.features.sets or given.source.features or list(SETS)
        every = (*all_definitions(chosen, lookbacks or lookbacks_of(given, self.inputs), hours_of(given)), *more)
        return usable_definitions(every, self.history.tables, self._target(target).pairs)

    def target(self, name: str) -> Target:
        """Return the target of a name with the settings of the project."""
        return target_of(self.settings(name))

    def _target(self, target: str | Target) -> Target:
        return target if isinstance(target, Target) else self.target(target)

    def _snapshots(self, target: str | Target, cutoffs: Cutoffs | None) -> pd.DataFrame:
        if cutoffs is None and not isinstance(target, str):
            fix = "pass cutoffs=, such as history.cutoffs('churn')"
            raise PrevenanceError("E202", "a target of one's own has no cutoffs in the settings", key="cutoffs", fix=fix)
        moments = self.cutoffs(str(target)) if cutoffs is None else self._instants(cutoffs)
        return with_unjudged(self.history, self._target(target), cohort(self.history, self._target(target), moments))

    def _instants(self, cutoffs: Cutoffs) -> list[datetime]:
        zone = self.settings("").source.timezone
        found = [as_of_instant(one, zone) if isinstance(one, str) else pd.Timestamp(one).to_pydatetime() for one in cutoffs]
        for one in found:
            if one > self.as_of:
                what = f"the cutoff {local_day(one, zone)} lies after {local_day(self.as_of, zone)}, when this history ends"
                raise PrevenanceError(
                    "E208",
                    what,
                    key="cutoffs",
                    fix=f"ask a history of as_of={local_day(one + timedelta(days=1), zone)} or later, or an earlier cutoff",
                )
        return found

    def _check_table(self, name: str) -> None:
        if name not in self.history.tables:
            what = f'the source gives no table "{name[:40]}"'
            raise PrevenanceError("E203", what, key="table", fix=did_you_mean(name, self.tables))


def _keys(frame: pd.DataFrame) -> list[str]:
    return ["customer_id", "cutoff", *(["product_id"] if "product_id" in frame else [])]
