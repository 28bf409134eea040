"""One target scored at a cutoff and at the moments before it, by one model; inputs are built for some snapshots at a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.decide.remembered import Remembered
from prevenance.decide.weeks import BEFORE, WEEKS, Moments
from prevenance.features.build import build, definitions_giving
from prevenance.features.define import Definition
from prevenance.features.held import HeldInputs, held_inputs
from prevenance.history.history import History
from prevenance.history.roster import is_unjudged, product_names
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.models.scoring import cohort_scores
from prevenance.order.policies import best_offers
from prevenance.targets.labels import cohort, cohort_at
from prevenance.targets.target import Target
from prevenance.words import Words

ROWS = 300_000
"""Snapshots whose inputs are built at a time: of the moments before only the chances are kept, of tonight the file that is published."""


@dataclass(frozen=True)
class Scored:
    """A target scored: ``rows`` as in ``scoring.cohort_scores`` with ``score_before`` (of offers the best of each customer), ``past`` the same
    rows at earlier moments.

    ``inputs`` are those of the whole ``cohort`` (keys, cutoff, state, value_at_stake), row by row, ``places`` where each of ``rows`` stands
    there; ``weeks`` the chances of twelve weeks; ``offers`` every offer, where there are offers.
    """

    rows: pd.DataFrame
    past: pd.DataFrame
    cohort: pd.DataFrame
    inputs: HeldInputs
    places: np.ndarray
    weeks: pd.DataFrame
    offers: pd.DataFrame | None


def scored_weeks(
    history: History,
    target: Target,
    fitted: Fitted,
    definitions: tuple[Definition, ...],
    moments: Moments,
    say: Words,
    steps: Callable[[str], None],
    remembered: Remembered | None = None,
) -> Scored:
    """Return one target scored at the cutoff and at every moment before it; offers without a product's name are named by ``say``.

    Of the weeks before only the chosen offers are built: every offer of every week would be dear. What is ``remembered`` of a Monday is not
    worked out again. Inputs are built for ``ROWS`` snapshots at a time; whatever their number, the rows are the same.
    """
    keys, columns = target.keys, list(fitted.encoder.features)
    snapshots = _cohort(history, target, [moments.cutoff], steps)
    rows, inputs = _scored_tonight(history, target, fitted, definitions, snapshots, steps)
    steps(f"{target.name}: score")
    offers = None
    if target.pairs:
        rows["product"] = product_names(history, moments.cutoff, rows["product_id"], say)
        offers, rows = rows, best_offers(rows, policy=moments.rules.policy, share=moments.rules.share, cost_per_contact=moments.rules.cost)
    places, rows = rows.index.to_numpy(), rows.reset_index(drop=True)
    narrow, then, chosen = bundle.used(fitted), moments.cutoff - BEFORE, rows if target.pairs else None

    def chances_at(batch: list[datetime], asked: pd.DataFrame | None) -> pd.DataFrame:
        snapshots = _cohort(history, target, batch, steps, asked)
        found = []
        for part in _with_inputs(history, snapshots, definitions, narrow, steps):
            every = part.reindex(columns=[*part.columns.difference(columns, sort=False), *columns])
            score = bundle.chance(fitted, every) if len(every) else np.zeros(0)
            found.append(part[[*keys, "cutoff", "state", "value_at_stake"]].assign(score=score))
        return pd.concat(found, ignore_index=True).rename(columns={"state": "state0"})

    known, mondays = remembered or Remembered(None, ""), [one for one in moments.mondays if one < moments.cutoff]
    known.open(history, target, definitions, narrow, mondays)
    for lacking, batch in known.batches(mondays, chosen, target, max(1, ROWS // max(1, len(rows)))):
        found = chances_at(batch, lacking)
        for monday in batch:
            known.add(monday, found[found["cutoff"] == pd.Timestamp(monday)], lacking, target)
    known.close()
    # Twenty-eight days ago is another day every night, and asked for by itself, as others who look back ask for it.
    earlier = [] if then in mondays else [chances_at([then], chosen)]
    past = pd.concat([*earlier, *(known.rows(monday, chosen, target) for monday in mondays)], ignore_index=True)
    every = pd.MultiIndex.from_frame(rows[keys])
    rows["score_before"] = np.where(rows["score"].notna(), _chances_of(every, past, then, keys), np.nan)
    line = {f"week_{number}": _chances_of(every, past, one, keys) for number, one in enumerate(moments.line[:-1])}
    weeks = rows[keys].assign(**line, **{f"week_{WEEKS - 1}": rows["score"]})
    return Scored(rows, past, snapshots, inputs, places, weeks, offers)


def _scored_tonight(
    history: History,
    target: Target,
    fitted: Fitted,
    definitions: tuple[Definition, ...],
    snapshots: pd.DataFrame,
    steps: Callable[[str], None],
) -> tuple[pd.DataFrame, HeldInputs]:
    """Return the chances of the snapshots of one cutoff, see ``scoring.cohort_scores``, and their inputs."""
    columns = list(fitted.encoder.features)
    dark = is_unjudged(history, snapshots, target.min_known_days)
    parts: list[pd.DataFrame] = []

    def scored() -> Iterator[pd.DataFrame]:
        for part in _with_inputs(history, snapshots, definitions, columns, steps):
            unknown = dark.loc[part.index]
            if fitted.kind == "health_score":
                # The team's score needs its own inputs; that other things are known of the customer does not help it.
                unknown |= part[columns].isna().all(axis=1)
            parts.append(cohort_scores(fitted, part, unknown))
            yield part[["customer_id", "cutoff", *target.keys[1:], *columns]]

    inputs = held_inputs(scored())
    return pd.concat(parts), inputs


def _cohort(
    history: History, target: Target, moments: list[datetime], steps: Callable[[str], None], chosen: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the cohort at ``moments``, see ``labels.cohort``; with ``chosen`` only its offers: every offer of every week would be dear."""
    steps(f"{target.name}: cohort")
    snapshots = cohort_at(history, target, moments[0]).copy(deep=False) if len(moments) == 1 else cohort(history, target, moments)
    return snapshots if chosen is None else snapshots.merge(chosen[target.keys], on=target.keys)


def _with_inputs(
    history: History, snapshots: pd.DataFrame, definitions: tuple[Definition, ...], columns: list[str], steps: Callable[[str], None]
) -> Iterator[pd.DataFrame]:
    """Give the snapshots with ``columns``, ``ROWS`` at a time, with their index; at least once."""
    for first in range(0, max(1, len(snapshots)), ROWS):
        part = snapshots.iloc[first : first + ROWS]
        built = build(history, part, definitions_giving(definitions, columns), steps)[columns]
        yield pd.concat([part, built.set_axis(part.index)], axis=1)


def _chances_of(keys: pd.MultiIndex, past: pd.DataFrame, moment: datetime, names: list[str]) -> np.ndarray:
    """Return the chance at a moment of ``past`` of each of ``keys``; NaN for who was not in the cohort then."""
    rows = past[past["cutoff"] == pd.Timestamp(moment)]
    place = keys.get_indexer(pd.MultiIndex.from_frame(rows[names]))
    found = np.full(len(keys), np.nan)
    found[place[place >= 0]] = rows["score"].to_numpy(dtype=float)[place >= 0]
    return found
