"""Cells: the facts of each customer and interval, dropped into dense arrays while they are read.

A cell's address is known from its interval and customer, so no hash is needed; memory is bounded by taking customers
chunk by chunk and facts batch by batch. Integers only: no result depends on the order of rows.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from prevenance.features import intervals
from prevenance.features.intervals import NEVER, Axis, Series
from prevenance.history.history import History

CHUNK_BYTES = 512_000_000
BATCH = 122_880
"""Rows read at a time."""
MANY_LATE = 1_000_000
"""Late facts after which those of the same cell are merged."""

Parts = tuple[tuple[np.ndarray, ...], ...]
"""Per series, per part (a count has one): an integer array; the parts of a "min" are negated, so that the largest is meant."""


@dataclass(frozen=True)
class Late:
    """Late facts by cell, ascending by ``k``; ``code`` is the customer, from 0 within the chunk.

    A cell without a fact of a series has the series' empty value: 0 for a sum, else ``NEVER``.
    """

    code: np.ndarray
    k: np.ndarray
    late: np.ndarray
    values: Parts

    def known(self, place: int) -> Late:
        """Return the facts that the cutoff numbered ``place`` (from 1) knows."""
        rows = np.flatnonzero(self.late <= place)
        return Late(self.code[rows], self.k[rows], self.late[rows], tuple(tuple(part[rows] for part in parts) for parts in self.values))

    def inside(self, low: int, high: int) -> slice:
        """Return where the facts of the intervals ``low+1 .. high`` are."""
        return slice(*np.searchsorted(self.k, (low, high), side="right"))


@dataclass(frozen=True)
class Cells:
    """The facts of some customers.

    A series has one row per span of intervals that its windows never part: ``rows[series][k + 1]`` is the row of interval
    ``k``, and row 0 is empty. ``held`` has shape (rows, customers) per series and part; a row of a sum holds all before it too.
    """

    customers: range
    rows: tuple[np.ndarray, ...]
    held: Parts
    late: Late


@dataclass(frozen=True)
class _Plan:
    """How a series reads facts: the column that chooses, the columns of its parts, and the row of interval ``k`` at ``k + 1``."""

    kind: str
    chosen: str
    parts: tuple[str, ...]
    rows: np.ndarray

    @property
    def empty(self) -> int:
        return 0 if self.kind == "sum" else NEVER

    @property
    def type(self) -> type[np.signedinteger]:
        """A customer's rows fit 32 bits; half the memory to touch."""
        return np.int64 if self.parts else np.int32

    def signed(self, values: np.ndarray) -> np.ndarray:
        return -values if self.kind == "min" else values


def cells(history: History, rows: str, axis: Axis, wanted: Mapping[Series, Axis], customers: int) -> Iterator[Cells]:
    """Read the facts of ``rows`` (SQL) once and yield the cells customer chunk by customer chunk.

    ``wanted`` gives each series the axis of its own windows, a part of ``axis``. The temp table ``codes``
    (customer_id, code) numbers the customers of the snapshots from 0.
    """
    chosen = {where: f"is{n}" for n, where in enumerate(dict.fromkeys(one.where for one in wanted))}
    parts = {part: f"v{n}" for n, part in enumerate(dict.fromkeys(part for one in wanted for part in one.parts))}
    plan = [_Plan(one.kind, chosen[one.where], tuple(parts[part] for part in one.parts), _rows(axis, own)) for one, own in wanted.items()]
    columns = [f"(({where}) is true)::utinyint as {name}" for where, name in chosen.items()]
    columns += [f"coalesce({part}, 0) as {name}" for part, name in parts.items()]
    names = ", ".join([*chosen.values(), *parts.values()])
    facts = intervals.keyed(history, rows, axis, ", ".join(["customer_id", *columns]))
    facts = f"(select code, k, late, {names} from ({facts}) join codes using (customer_id))"
    size = max(1, CHUNK_BYTES // (8 * sum((one.rows[-1] + 1) * max(1, len(one.parts)) for one in plan)))
    if size < customers:
        history.con.execute(f"create or replace temp table facts as from {facts}")
        facts = "facts"
    for start in range(0, customers, size):
        chunk = range(start, min(start + size, customers))
        shown = f"(code - {start})::bigint as code, k, late, {names}"
        yield _filled(history.con.sql(f"select {shown} from {facts} where code between {start} and {chunk[-1]}"), chunk, plan)
    history.con.execute("drop table if exists facts")


def _rows(axis: Axis, own: Axis) -> np.ndarray:
    """Return, at ``k + 1``, the row of interval ``k`` of ``axis`` on the coarser axis ``own``, from 1; row 0 is nobody's."""
    return np.array([0, *(bisect_left(own.edges, edge) + 1 for edge in axis.edges)])


def _filled(facts: duckdb.DuckDBPyRelation, chunk: range, plan: Sequence[_Plan]) -> Cells:
    """Drop the facts of a chunk into its cells, batch by batch, and put the late ones aside."""
    shapes = [(one.rows[-1] + 1, len(chunk)) for one in plan]
    held = tuple(
        tuple(np.full(shape, one.empty, dtype=one.type) for _ in one.parts or ("count",)) for one, shape in zip(plan, shapes, strict=True)
    )
    nobody = np.zeros(0, dtype=np.int64)
    behind = [Late(nobody, nobody, nobody, tuple(tuple(nobody for _ in parts) for parts in held))]
    for batch in facts.to_arrow_reader(BATCH):
        fact = {name: column.to_numpy() for name, column in zip(batch.schema.names, batch.columns, strict=True)}
        late = np.flatnonzero(fact["late"])
        behind.append(_apart(fact, late, plan))
        if sum(len(piece.k) for piece in behind[1:]) > MANY_LATE:
            behind = [_merged(behind, len(chunk), plan)]
        _fill(fact, late, len(chunk), plan, held)
    for one, target in zip(plan, held, strict=True):
        for part in target:
            part[0] = one.empty
            if one.kind == "sum":
                np.cumsum(part, axis=0, out=part)
    return Cells(chunk, tuple(one.rows for one in plan), held, _merged(behind, len(chunk), plan))


def _fill(fact: dict[str, np.ndarray], late: np.ndarray, customers: int, plan: Sequence[_Plan], held: Parts) -> None:
    """Let a batch of facts into the cells; the late ones fall into row 0, to be swept."""
    interval = fact["k"].astype(np.intp) + 1
    interval[late] = 0
    chosen = {name: np.flatnonzero(fact[name].view(bool)) for name in {one.chosen for one in plan}}
    cells: dict[bytes, np.ndarray] = {}
    places: dict[tuple[bytes, str], np.ndarray] = {}
    values = {pair: fact[pair[1]][chosen[pair[0]]] for pair in {(one.chosen, part) for one in plan for part in one.parts}}
    for one, target in zip(plan, held, strict=True):
        rows = one.rows.tobytes()
        if rows not in cells:
            cells[rows] = (one.rows * customers)[interval] + fact["code"]
        if (rows, one.chosen) not in places:
            places[rows, one.chosen] = cells[rows][chosen[one.chosen]]
        drop(
            one.kind,
            [part.reshape(-1) for part in target],
            places[rows, one.chosen],
            [one.signed(values[one.chosen, part]) for part in one.parts],
        )


def drop(kind: str, target: Sequence[np.ndarray], cell: np.ndarray, parts: Sequence[np.ndarray]) -> None:
    """Let facts into their cells; ``target`` is flat, one array per part."""
    if kind == "sum":
        np.add.at(target[0], cell, parts[0] if parts else target[0].dtype.type(1))
        return
    for depth, held in enumerate(target):
        deeper = target[depth + 1 :]
        before = held[cell] if deeper else cell
        np.maximum.at(held, cell, parts[depth])
        if deeper:
            after = held[cell]
            for part in deeper:
                part[cell[after > before]] = NEVER
            first = np.flatnonzero(parts[depth] == after)
            cell, parts = cell[first], [part[first] for part in parts]


def _apart(fact: dict[str, np.ndarray], late: np.ndarray, plan: Sequence[_Plan]) -> Late:
    """Return the late facts of a batch."""
    chosen = {one.chosen: fact[one.chosen][late].view(bool) for one in plan}
    values = tuple(
        tuple(np.where(chosen[one.chosen], one.signed(fact[part][late]), one.empty) for part in one.parts)
        or (chosen[one.chosen].astype(np.int64),)
        for one in plan
    )
    code, k, number = (fact[name][late].astype(np.int64) for name in ("code", "k", "late"))
    return Late(code, k, number, values)


def _merged(pieces: Sequence[Late], customers: int, plan: Sequence[_Plan]) -> Late:
    """Merge the late facts of the same cell; what is many facts late at once (a belated load) stays as small as the cells."""
    code, k, late = (np.concatenate([getattr(piece, name) for piece in pieces]) for name in ("code", "k", "late"))
    cutoffs = int(late.max(initial=0)) + 1
    keys, place = np.unique((k * cutoffs + late) * customers + code, return_inverse=True)
    values = tuple(tuple(np.full(len(keys), one.empty, dtype=np.int64) for _ in one.parts or ("count",)) for one in plan)
    for number, (one, target) in enumerate(zip(plan, values, strict=True)):
        parts = [np.concatenate([piece.values[number][part] for piece in pieces]) for part in range(len(target))]
        drop(one.kind, target, place, parts)
    return Late(keys % customers, keys // customers // cutoffs, keys // customers % cutoffs, values)
