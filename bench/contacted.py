"""What learning from those left alone changes: ``python -m bench.contacted --seeds 3``, on demo companies whose contacts keep many of those they reach.

Each company is trained twice by the command that a user calls, with ``validation.contacted`` as it is and as ``leave_out``. Both are asked only about the
test snapshots of customers whom nobody contacted within the window: how well they are ranked, and whether as many left as the chances say.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from bench.programme import by_command, moments_of

CHEAP = (
    "model=logistic",
    "target=churn",
    "validation.replicates=20",
    "validation.cutoffs=14",
    "features.sets=[usage,tickets,contacts]",
    "features.lookbacks=[28,90]",
)


def judged(out: Path) -> dict[str, Any]:
    """Return the counts of the report, and of the snapshots left alone: rows, outcomes, AUC and the mean chance."""
    report = json.loads((out / "train" / "churn" / "report.json").read_text(encoding="utf-8"))
    rows = pd.read_parquet(out / "train" / "churn" / "predictions.parquet")
    rows = rows[rows["model"] == "logistic"]
    called = moments_of(out / "demo")[1]
    met = [
        any(at < one <= at + timedelta(days=90) for one, kind in called.get(customer, ()) if kind != "campaign")
        for customer, at in zip(rows["customer_id"], rows["cutoff"], strict=True)
    ]
    alone = rows[~np.array(met)]
    name = "score" if "score" in alone else "chance"
    told = {"rows": len(alone), "outcomes": int(alone["label"].sum()), "rate": float(alone["label"].mean())}
    return {
        "report": report["contacted"],
        "alone": told | {"auc": float(roc_auc_score(alone["label"], alone[name])), "mean_chance": float(alone[name].mean())},
    }


def main() -> None:
    """Train each company twice and print what changes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--customers", type=int, default=600)
    asked = parser.parse_args()
    for seed in range(1, asked.seeds + 1):
        for contacted in ("keep", "leave_out"):
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / "out"
                more = (f"demo.customers={asked.customers}", f"demo.seed={seed}", "demo.events=150000", f"validation.contacted={contacted}")
                by_command("train", f"out={out}", *CHEAP, *more)
                print(json.dumps({"seed": seed, "contacted": contacted, **judged(out)}), flush=True)


if __name__ == "__main__":
    main()
