"""What commands leave, read into frames: a training with its metrics and pictures, a ranked list, a replay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from prevenance.api.plots import TrainingPlots
from prevenance.base import kept
from prevenance.base.errors import PrevenanceError
from prevenance.history.history import History
from prevenance.judge import evaluation
from prevenance.judge.outcomes import outcomes_of_list
from prevenance.models import bundle
from prevenance.models.bundle import Fitted
from prevenance.models.folds import Fold, fold_summary
from prevenance.publish.published import Published
from prevenance.targets.target import Target
from prevenance.track import tracking

MONEY = ("value_at_stake", "expected_value")


@dataclass(frozen=True)
class Training:
    """The latest training of a target: ``report`` is report.json, ``text`` what the command printed (empty of one that was only read)."""

    folder: Path
    out: Path
    report: Mapping[str, Any]
    text: str = ""

    @property
    def target(self) -> str:
        """Return the target's name."""
        return str(self.report["target"])

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Return the back-test: one row per test snapshot and model, its index as of ``frame``.

        Columns: fold (1 is the oldest test), label (1.0 or 0.0), outcome_at, model, score (calibrated chance), raw (what ranks), and
        ``group``, a number for who is drawn as one when an interval is made.
        """
        found = pd.read_parquet(self.folder / "predictions.parquet")
        return found.set_index([name for name in ("customer_id", "cutoff", "product_id") if name in found])

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return every snapshot with state, value_at_stake, label, outcome_at and all features; index (customer_id, cutoff[, product_id])."""
        found = pd.read_parquet(self.folder / "features.parquet")
        return found.set_index([name for name in ("customer_id", "cutoff", "product_id") if name in found])

    @cached_property
    def metrics(self) -> pd.DataFrame:
        """Return one row per model, period and metric: model, period (a test cutoff, or "all"), metric, value, low, high.

        Intervals are two-sided 90 %, drawn by customer; missing where too few stand behind a number. The rows of "all" are those of the report.

        >>> whole = training.metrics.query("period == 'all' and metric == 'roc_auc'").set_index("model")
        >>> whole.loc["base_rate", "value"]
        np.float64(0.5)
        """
        capacity, seed = int(self.report["capacity"]), int(self.report["settings"]["seed"])
        replicates = int(self.report["settings"]["validation.replicates"])
        told = {"all": self.report["models"]}
        for cutoff, part in self.predictions.reset_index().groupby("cutoff", sort=True):
            told[pd.Timestamp(cutoff).strftime("%Y-%m-%d")] = evaluation.evaluate(part, capacity=capacity, replicates=replicates, seed=seed)
        rows = [
            {"model": model, "period": period, "metric": metric, **{key: one[key] for key in ("value", "low", "high")}}
            for period, models in told.items()
            for model, metrics in models.items()
            for metric, one in metrics.items()
        ]
        return pd.DataFrame(rows).astype({"value": float, "low": float, "high": float})

    @cached_property
    def folds(self) -> pd.DataFrame:
        """Return one row per fold and part (learned, test): first, last, cutoffs, snapshots, customers, positives, base_rate.

        >>> training.folds["part"].unique().tolist()
        ['learned', 'test']
        """
        parted = [Fold(_instants(one["fit"]), (), datetime.fromisoformat(one["test"])) for one in self.report["folds"]]
        return fold_summary(parted, self.frame.reset_index())

    @cached_property
    def model(self) -> Fitted:
        """Return the champion that is registered now, checked by its digest.

        Raises:
            PrevenanceError: E501 if none is registered, E502 if it is not what was registered.
        """
        held = tracking.tracked_champion(self.out, self.target)
        if held is None:
            raise PrevenanceError("E501", f"no champion is registered for {self.target}", fix=f'train it: project.train("{self.target}")')
        return bundle.load(self.out / "models" / self.target / held[1], held[1])

    @property
    def plot(self) -> TrainingPlots:
        """Return what draws this training: ``.pr()``, ``.gain()``, ``.calibration()``, ``.shap_waterfall(customer_id)``, each on Axes.

        >>> training.plot.gain().get_title()
        'Gain, all test periods'
        """
        return TrainingPlots(self.predictions, self.frame, int(self.report["capacity"]), lambda: self.model)


@dataclass(frozen=True)
class RankedList:
    """A published list; ``text`` is what the command printed (empty of one that was only read)."""

    published: Published
    text: str = ""

    @property
    def path(self) -> Path:
        """Return the folder of the list, which never changes."""
        return self.published.folder

    @property
    def manifest(self) -> dict[str, Any]:
        """Return manifest.json: run, counts, gates, files and their digests."""
        return self.published.manifest

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return the rows in the order of the list, columns as in list.csv; who is to be worked has a ``rank``.

        >>> ranked.frame["rank"].head(3).tolist()
        [1.0, 2.0, 3.0]
        """
        found = self.published.rows
        return found.astype({name: float for name in ("rank", *MONEY) if name in found})

    @cached_property
    def features(self) -> pd.DataFrame:
        """Return every input of the model for the whole cohort, as published; index (customer_id, cutoff[, product_id])."""
        found = self.published.features
        return found.set_index([name for name in ("customer_id", "cutoff", "product_id") if name in found])

    def reasons(self, customer_id: str) -> list[str]:
        """Return the reasons of a customer on this list, the first weighs most; none where nothing raises the chance.

        Raises:
            PrevenanceError: E203 for an id that is not on the list.
        """
        ids = self.frame["customer_id"]
        if not (ids == customer_id).any():
            raise PrevenanceError(
                "E203", "this id is not on the list", key="customer_id", fix="give an id as it stands in .frame['customer_id']"
            )
        text = self.frame.loc[ids == customer_id, "reasons"].iloc[0]
        return [one for one in str(text or "").split("; ") if one]


@dataclass(frozen=True)
class Replay:
    """A list of the past with what became of it: ``frame`` has the rows of list.csv with their outcome, ``summary`` the counts and the verdict."""

    folder: Path
    text: str

    @cached_property
    def frame(self) -> pd.DataFrame:
        """Return the rows of the list as it would have been, and who had the outcome without being on it."""
        found = pd.DataFrame(kept.needed_rows(self.folder / "list.json", fix="replay that date again"))
        return found.astype({name: "str" for name in ("customer_id", "product_id") if name in found})

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Return summary.json: hits, contacts, outcomes, missed and the verdict in a sentence."""
        return dict(kept.needed_json(self.folder / "summary.json", fix="replay that date again"))


@dataclass(frozen=True)
class Told:
    """What a command found: ``report`` is its JSON file, ``text`` what it printed, ``path`` the file."""

    path: Path
    report: Mapping[str, Any]
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Validation(Told):
    """What the checks of the inputs found, as frames; nothing is wrong where ``oddities`` and ``findings`` are empty."""

    @cached_property
    def tables(self) -> pd.DataFrame:
        """Return a row for each table: read and used rows, first and last day, customers, and their share of all."""
        counted = pd.DataFrame({name: {key: one[key] for key in ("read", "used")} for name, one in self.report["tables"].items()}).T
        return counted.join(pd.DataFrame(self.report["meaning"]["tables"]).set_index("table"))

    @property
    def tickets_a_month(self) -> float | None:
        """Return how many tickets were opened a month in the last year, ``None`` without tickets."""
        return self.report["meaning"]["tickets_a_month"]

    @property
    def contracts_running(self) -> int | None:
        """Return how many contracts run at as_of, ``None`` without contracts."""
        return self.report["meaning"]["contracts_running"]

    @cached_property
    def oddities(self) -> pd.DataFrame:
        """Return a row for each thing that looks wrong in meaning: code, table, what, fix."""
        return pd.DataFrame(self.report["meaning"]["oddities"], columns=["code", "table", "what", "fix"])

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Return a row for each thing that is wrong with rows or cells: section, table, column, what, rows, customers, first, action."""
        columns = ["section", "table", "column", "what", "rows", "customers", "first", "action", "blocks"]
        return pd.DataFrame([*self.report["consistency"], *self.report["accuracy"]], columns=columns)


def published_outcomes(published: Published, history: History, target: Target) -> pd.DataFrame:
    """Return the rows of a published list with what became of them, and the hold-out's draw; see ``Project.outcomes``."""
    rows = published.rows
    if (published.folder / "arms.csv").is_file():
        drawn = pd.read_csv(published.folder / "arms.csv", dtype={"customer_id": str})
        rows = rows.merge(drawn[[one for one in ("customer_id", "in_band", "drawn_at") if one in drawn]], on="customer_id", how="left")
    band = rows["in_band"].eq(True) if "in_band" in rows else rows["arm"].isin(["contact", "holdout"])
    return outcomes_of_list(history, target, rows.assign(in_band=band.fillna(False).astype(bool))).assign(list=published.folder.name)


def _instants(texts: list[str]) -> tuple[datetime, ...]:
    return tuple(map(datetime.fromisoformat, texts))
