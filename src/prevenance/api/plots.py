"""Pictures of a training, drawn by scikit-learn, matplotlib and shap on Axes that the caller may give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.explain.attribution import waterfall_axes
from prevenance.models.bundle import Fitted

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class TrainingPlots:
    """Draws the back-test of a training. ``models`` chooses among those tested; left out, the base rate is left out too."""

    predictions: pd.DataFrame
    features: pd.DataFrame
    capacity: int
    model: Callable[[], Fitted]

    def pr(self, models: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
        """Return precision against recall, all test periods together."""
        from sklearn.metrics import PrecisionRecallDisplay

        axes = _axes(ax)
        for name, rows in self._tested(models):
            PrecisionRecallDisplay.from_predictions(rows["label"], rows["score"], name=name, ax=axes, drop_intermediate=True)
        axes.set(title="Precision and recall, all test periods")
        return axes

    def gain(self, models: Sequence[str] | None = None, ax: Axes | None = None) -> Axes:
        """Return the share of all outcomes that is found among the best-ranked customers, all test periods together; the upright line is capacity."""
        axes = _axes(ax)
        for name, rows in self._tested(models):
            # Each period has a list of its own, so a place is a share of its period.
            # Equal values are one step along a straight line, which is what drawing lots among them finds.
            place = rows.groupby("cutoff")["raw"].rank(ascending=False, pct=True, method="max")
            found = rows["label"].groupby(place).sum().sort_index().cumsum() / max(1.0, rows["label"].sum())
            axes.plot([0.0, *found.index], [0.0, *found], label=name)
        axes.plot([0, 1], [0, 1], color="0.6", linestyle=":", label="blind")
        size = self.predictions.groupby(["model", "cutoff"]).size().mean()
        axes.axvline(min(1.0, self.capacity / size), color="0.4", linewidth=0.8)
        axes.set(xlabel="share of the customers, best first", ylabel="share of the outcomes found", title="Gain, all test periods")
        axes.legend()
        return axes

    def calibration(self, models: Sequence[str] | None = None, ax: Axes | None = None, bins: int = 10) -> Axes:
        """Return what share had the outcome where the model said so much: on the diagonal it kept its word."""
        from sklearn.calibration import CalibrationDisplay

        axes = _axes(ax)
        for name, rows in self._tested(models):
            CalibrationDisplay.from_predictions(rows["label"], rows["score"], n_bins=bins, strategy="quantile", name=name, ax=axes)
        axes.set(xlabel="chance that was said", ylabel="share that had the outcome", title="Calibration, all test periods")
        return axes

    def shap_waterfall(self, customer_id: str, *, cutoff: str | None = None, most: int = 12, ax: Axes | None = None) -> Axes:
        """Return how the champion's inputs add up to one customer's log-odds at ``cutoff``, else at the newest one known.

        Raises:
            PrevenanceError: E203 for a customer (or cutoff) without a snapshot.
        """
        ids = self.features.index.get_level_values("customer_id")
        rows = self.features[ids == customer_id]
        if rows.empty:
            fix = "give an id as it stands in the index of .frame"
            raise PrevenanceError("E203", "this customer has no snapshot in the training", key="customer_id", fix=fix)
        moments = rows.index.get_level_values("cutoff")
        moment = moments.max() if cutoff is None else pd.Timestamp(cutoff)
        if moment not in moments:
            fix = f"choose one of: {', '.join(f'{one:%Y-%m-%d}' for one in sorted(set(moments)))}"
            raise PrevenanceError("E203", f"no snapshot of this customer at {moment:%Y-%m-%d}", key="cutoff", fix=fix)
        axes = waterfall_axes(self.model(), rows[moments == moment].head(1).reset_index(), most=most, axes=ax)
        axes.set_title(f"{customer_id} at {moment:%Y-%m-%d}, log-odds")
        return axes

    def _tested(self, models: Sequence[str] | None) -> list[tuple[str, pd.DataFrame]]:
        there = list(dict.fromkeys(self.predictions["model"]))
        for name in models or ():
            if name not in there:
                raise PrevenanceError("E203", f'the model "{name}" was not tested', key="models", fix=did_you_mean(name, there))
        chosen = list(models) if models else [name for name in there if name != "base_rate"]
        closed = self.predictions[self.predictions["label"].notna() & np.isfinite(self.predictions["score"])]
        return [(name, closed[closed["model"] == name]) for name in chosen]


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots()[1]
