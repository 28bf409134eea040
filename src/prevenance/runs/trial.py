"""An experiment that was run elsewhere, from a file: the effect as drawn, and whom not to contact, if that can be told. No id of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.consent import special
from prevenance.proof.effect import arm_of, difference_span, share_span
from prevenance.proof.page import Section, proof_page
from prevenance.proof.uplift import SURE, Uplift, uplift_by
from prevenance.publish.folders import write_files
from prevenance.runs.feature_table import read_table
from prevenance.runs.settings.experiment_schema import ExperimentSettings
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.words import Words, words

CONTACT = ("1", "1.0", "true", "yes", "y", "contact", "treatment", "treated", "test")
ALONE = ("0", "0.0", "false", "no", "n", "holdout", "hold-out", "control")
LEAST = 1000
"""Rows from which anybody is asked who gains more: with fewer nothing of it could be sure."""


@dataclass(frozen=True)
class Trial:
    """Columns of a file as arrays: ``arm`` 1.0 to be contacted, ``outcome`` turned so that more is better, ``chance`` of being contacted."""

    arm: np.ndarray
    outcome: np.ndarray
    chance: np.ndarray
    units: np.ndarray
    features: np.ndarray
    names: tuple[str, ...]


def import_trial(given: Settings, steps: Steps) -> dict[str, Any]:
    """Write ``<out>/trial/`` (report.html, statement.json, groups.csv) and return what the status file says of it.

    Raises:
        PrevenanceError: E202 a column is not named, E301 not there, E307 not 0 or 1, E304 no row; E401, E303 for the file; E902 what may be no input.
    """
    steps("read the experiment")
    asked, path = given.experiment, Path(str(given.file))
    trial = trial_of(read_table(path, "file"), asked, path, given.privacy.permitted)
    say = words(given.language or "en", given.source.timezone)
    one = trial.arm == 1
    # Outcomes are turned so that more is better; the arms are told as they came.
    came = 1 - trial.outcome if asked.avoid else trial.outcome
    held, contact = arm_of(came[~one], trial.units[~one]), arm_of(came[one], trial.units[one])
    low, high = difference_span(held, contact)
    shares = share_span(held, contact)
    difference, share = (held.rate - contact.rate, low, high), shares
    if not asked.avoid:
        difference, share = (contact.rate - held.rate, -high, -low), (-shares[0], -shares[2], -shares[1])
    found: list[Uplift] = []
    if len(trial.arm) >= LEAST and trial.names:
        steps("who gains more")
        found = [uplift_by(name, trial.features, trial.arm, trial.outcome, trial.chance, trial.units, given.seed) for name in ("S", "T")]
    best = max(found, key=lambda each: each.z, default=None)
    # The better of two is chosen, so it has to be as sure as two tries ask for.
    sure = best is not None and best.z >= SURE and all(each.z > 0 for each in found)
    lead = _lead(say, difference, share, best if sure else None, tried=bool(found))
    facts = {
        "rows": len(trial.arm),
        "arms": {"held": held.__dict__, "contact": contact.__dict__},
        "difference": dict(zip(("value", "low", "high"), difference, strict=True)),
        "share": dict(zip(("value", "low", "high"), share, strict=True)),
        "uplift": {each.learner: {"rate": each.rate, "error": each.error, "z": each.z, "groups": each.groups} for each in found},
        "reorders": sure,
        "harmed": bool(sure and best is not None and best.harmed),
        "statement": lead,
    }
    rows = [(each.learner, number, *group) for each in found for number, group in enumerate(each.groups, 1)]
    table = pd.DataFrame(rows, columns=["learner", "fifth", "rows", "gain", "low", "high"])
    stamp = {"date": path.name, "source": path.name, "run": say("{n} rows", n=len(trial.arm))}
    page = proof_page(say, say("What contacts change"), stamp, lead, _notes(say), _sections(say, held, contact, found))
    folder = write_files(
        given.folder / "trial",
        {"report.html": page.encode(), "statement.json": formats.canonical_json(facts), "groups.csv": formats.csv_bytes(table)},
    )
    for text in _lead(words("en"), difference, share, best if sure else None, tried=bool(found)):
        steps.tell(f"EFFECT    {text}")
    for each in found:
        steps.tell(f"UPLIFT    {each.learner}: RATE {each.rate:.5f}, z {each.z:.2f}")
    steps.tell(f"FILES     {folder}/  report.html  statement.json  groups.csv")
    return {"outcome": "published", "report": str(folder)}


def trial_of(table: pd.DataFrame, asked: ExperimentSettings, path: Path, permitted: list[str]) -> Trial:
    """Return a table as a trial; see ``import_trial`` for what is refused."""
    for key in ("arm", "outcome"):
        if not getattr(asked, key):
            what, fix = f"experiment.{key} is not set", f"name its column, such as experiment.{key}={table.columns[0]}"
            raise PrevenanceError("E202", what, key=f"experiment.{key}", fix=fix)
    for key in ("arm", "outcome", "unit"):
        name = getattr(asked, key)
        if name and name not in table:
            raise PrevenanceError("E301", f'no column "{name}"', key=f"experiment.{key}", fix=did_you_mean(name, list(table.columns)))
    arm, outcome = _binary(table[asked.arm], str(asked.arm)), _binary(table[asked.outcome], str(asked.outcome))
    chance = _chances(table, asked, arm)
    keys = {asked.arm, asked.outcome, asked.unit, asked.probability}
    names = [name for name in (asked.features or table.columns) if name not in keys]
    if missing := [name for name in names if name not in table]:
        raise PrevenanceError(
            "E301", f'no column "{missing[0]}"', key="experiment.features", fix=did_you_mean(missing[0], list(table.columns))
        )
    names = [name for name in names if asked.features or (pd.api.types.is_numeric_dtype(table[name]) and not table[name].is_unique)]
    for name in names:
        if kind := special.refused_category(name, permitted, agents=True):
            raise special.special_error(name, kind, fix="take the column out of the table", key="privacy.permitted=[...]", path=path)
    features = np.column_stack([_numbers(table[name]) for name in names]) if names else np.zeros((len(table), 0))
    units = pd.factorize(table[asked.unit])[0] if asked.unit else np.arange(len(table))
    return Trial(arm, 1 - outcome if asked.avoid else outcome, chance, units, features, tuple(names))


def _numbers(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=float)
    return np.asarray(pd.factorize(column, sort=True)[0], dtype=float)


def _binary(column: pd.Series, name: str) -> np.ndarray:
    told = column.astype("str").str.strip().str.lower()
    found = np.where(told.isin(CONTACT), 1.0, np.where(told.isin(ALONE), 0.0, np.nan))
    if np.isnan(found).any() or len(np.unique(found)) < 2:
        line = int(np.isnan(found).argmax()) + 2
        what = "a value is neither yes nor no" if np.isnan(found).any() else "every row has the same value"
        raise PrevenanceError(
            "E307", what, column=name, rows=int(np.isnan(found).sum()), first=line, fix="write 1 and 0, without empty cells"
        )
    return found


def _chances(table: pd.DataFrame, asked: ExperimentSettings, arm: np.ndarray) -> np.ndarray:
    """Return how likely each row was to be contacted: as told, else the share of the arm."""
    told = asked.probability
    if not told:
        return np.full(len(arm), arm.mean())
    if told in table:
        found = table[told].to_numpy(dtype=float)
    else:
        try:
            found = np.full(len(arm), float(told))
        except ValueError as problem:
            fix = did_you_mean(told, list(table.columns))
            raise PrevenanceError("E301", f'no column "{told}"', key="experiment.probability", fix=fix) from problem
    if not ((found > 0) & (found < 1)).all():
        what = "a probability of being contacted does not lie between 0 and 1: such a row was not drawn"
        raise PrevenanceError("E202", what, key="experiment.probability", fix="write experiment.probability=0.5, or name the right column")
    return found


def _lead(say: Words, difference: tuple[float, ...], share: tuple[float, ...], best: Uplift | None, *, tried: bool) -> list[str]:
    value, low, high = (say.number(one * 100, 2) for one in difference)
    if np.isnan(difference[1]):
        found = [say("Too few units for an interval: {value} more of 100 by a contact, and nobody knows how sure that is.", value=value)]
    elif difference[1] > 0:
        found = [
            say("Contacts help: {value} more of 100 do well by a contact (95 % interval {low} to {high}).", value=value, low=low, high=high)
        ]
    elif difference[2] < 0:
        found = [
            say("Contacts harm: {value} more of 100 do well by a contact (95 % interval {low} to {high}).", value=value, low=low, high=high)
        ]
    else:
        found = [
            say(
                "Not shown that contacts change anything: {value} more of 100 do well by a contact (95 % interval {low} to {high}).",
                value=value,
                low=low,
                high=high,
            )
        ]
    if best is not None:
        found.append(say("Some gain more than others (z {z}): order by what a contact changes.", z=say.number(best.z, 1)))
        if best.harmed:
            lost = say.percent(-best.groups[0][1], 2)
            found.append(say("The fifth with the least expected gain loses {value} by a contact: leave these customers alone.", value=lost))
    elif tried:
        found.append(say("No evidence that some gain more than others: nobody is ordered by it."))
    return found


def _notes(say: Words) -> list[str]:
    return [
        say(
            "Analysed as drawn, with the probability of the draw. Who gains more is judged on rows that no model has seen, and told from z = 2 on."
        ),
        say("One look at a finished experiment: if it was looked at before, the interval is too narrow."),
    ]


def _sections(say: Words, held: Any, contact: Any, found: list[Uplift]) -> list[Section]:
    head = (say("As drawn"), say("Units"), say("Customers"), say("Outcomes"), say("Share of them"))
    rows = [
        (name, say.number(arm.units), say.number(arm.customers), say.number(arm.outcomes), say.percent(arm.rate, 2))
        for name, arm in ((say("Left alone"), held), (say("Contacted"), contact))
    ]
    parts = [Section(say("What was drawn, and what was done"), head=head, rows=rows)]
    fifths = (say("Fifth, the least gain first"), say("Customers"), say("Gain by a contact"), say("95 % interval"))
    for each in found:
        told = [
            (say.number(number), say.number(count), say.percent(gain, 2), f"{say.percent(low, 2)} – {say.percent(high, 2)}")
            for number, (count, gain, low, high) in enumerate(each.groups, 1)
        ]
        about = say(
            "Ordered by a model that has not seen these customers: RATE {rate}, z {z}.",
            rate=say.number(each.rate, 4),
            z=say.number(each.z, 2),
        )
        parts.append(Section(say("Who gains more ({learner} learner)", learner=each.learner), about, fifths, told))
    return parts
