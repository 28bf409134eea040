"""The model that MLflow serves, as code: ``mlflow.pyfunc.load_model("models:/<target>@champion").predict(features)``.

MLflow runs this file when it loads a model; nothing is unpickled. The bundle beside it is checked against the registered digest
before it is parsed.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc import PythonModel, PythonModelContext


class Chances(PythonModel):
    """Calibrated chances from a frame with the columns of ``features.parquet``."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the bundle; E502 if it is not what was registered."""
        from prevenance.models import bundle

        self.fitted = bundle.load(Path(context.artifacts["bundle"]), (context.model_config or {})["digest"])

    def predict(self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """Return score, score_low and score_high (90 %) of each row, in [0, 1], with the index of ``model_input``."""
        from prevenance.models import bundle

        score = bundle.chance(self.fitted, model_input)
        low, high = bundle.interval(self.fitted, score)
        return pd.DataFrame({"score": score, "score_low": low, "score_high": high}, index=model_input.index)


set_model(Chances())
