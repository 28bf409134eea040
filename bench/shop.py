"""An online shop of one year, made up, and whether a logistic regression of ten features beats what training chose: ``python -m bench.shop``.

The shop is like the public exports of small online shops: lines of invoices with guests, cancelled invoices, a season that peaks in autumn,
customers who buy at a rate of their own until they silently stop. Leaving is a silence of 90 days. The rival sees the same customers, cutoffs
and closed labels, its ten columns are made by pandas from the export alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import prevenance as pv
from prevenance.judge.bootstrap import bootstrap_weights

OPENS, CLOSES = pd.Timestamp("2024-12-01"), pd.Timestamp("2025-12-10")
SEASON = np.array([0.8, 0.8, 0.9, 0.85, 1.0, 0.95, 0.95, 0.95, 1.2, 1.4, 1.9, 1.3])
"""Orders in a month, January first, against a mean month."""

SOURCE = """\
name: shop
static: true
timezone: Europe/London
currency: GBP
files: {lines: lines.csv}
delay_days: {customers: 0, purchases: 0}
targets:
  churn: {kind: silence, horizon_days: 90, active_days: 90, activity: [purchases], settle_days: 0, lead_days: 0}
capacity: 40
features: [purchases, customers, calendar]
validation: {step_days: 14}
"""
CUSTOMERS = """\
select "CustomerID" as customer_id, min("InvoiceDate") as event_at, arg_min("Country", "InvoiceDate") as country, min(_file) as _file,
  arg_min(_line, ("InvoiceDate", _line)) as _line
from lines where "CustomerID" is not null and "CustomerID" <> '' group by "CustomerID"
"""
PURCHASES = """\
select "CustomerID" as customer_id, "InvoiceDate" as event_at, "InvoiceNo" as order_id, "StockCode" as product_id,
  try_cast("Quantity" as double) as quantity, try_cast("Quantity" as double) * try_cast("UnitPrice" as double) as amount, _file, _line
from lines where "CustomerID" is not null and "CustomerID" <> ''
"""


def shop_lines(customers: int, seed: int) -> pd.DataFrame:
    """Return the export: one row per line of an invoice, as a shop writes it (texts)."""
    draw = np.random.default_rng(seed)
    days = (CLOSES - OPENS).days
    joins = np.where(draw.random(customers) < 0.45, 0, draw.integers(0, days - 20, customers))
    rate = draw.gamma(1.1, 1 / 55, customers)  # orders a day
    stays = draw.exponential(draw.gamma(2.0, 220, customers))  # days until they silently stop
    stays[draw.random(customers) < 0.22] = 0  # bought once
    width = np.maximum(1, draw.gamma(1.5, 9, customers))
    price = np.exp(draw.normal(0.7, 0.45, customers))
    orders = []
    for day in range(days):
        here = (joins < day) & (day < joins + stays)
        wants = rate * SEASON[(OPENS + pd.Timedelta(days=day)).month - 1]
        buys = (joins == day) | (here & (draw.random(customers) < wants))
        orders.append(np.column_stack([np.flatnonzero(buys), np.full(buys.sum(), day)]))
    who, day = np.concatenate(orders).T
    lines = np.maximum(1, draw.poisson(width[who]))
    order = np.repeat(np.arange(len(who)), lines)
    at = OPENS + pd.to_timedelta(day * 1440 + draw.integers(8 * 60, 19 * 60, len(who)), unit="min")
    found = pd.DataFrame(
        {
            "InvoiceNo": (536_000 + order).astype(str),
            "StockCode": np.char.add("P", draw.zipf(1.4, len(order)).clip(max=3000).astype(str)),
            "Quantity": draw.geometric(0.15, len(order)),
            "InvoiceDate": at[order],
            "UnitPrice": np.round(price[who][order] * draw.lognormal(0, 0.5, len(order)), 2),
            "CustomerID": (12_000 + who[order]).astype(str),
            "Country": np.where(who[order] % 11 == 0, "France", "United Kingdom"),
        }
    )
    back = found[draw.random(len(found)) < 0.02].copy()
    back["InvoiceNo"], back["Quantity"] = "C" + back["InvoiceNo"], -back["Quantity"]
    back["InvoiceDate"] += pd.to_timedelta(draw.integers(1, 30, len(back)), unit="D")
    guests = found[draw.random(len(found)) < 0.15].assign(CustomerID="")
    whole = pd.concat([found, back[back["InvoiceDate"] < CLOSES], guests]).sort_values("InvoiceDate", kind="stable")
    return whole.assign(InvoiceDate=whole["InvoiceDate"].dt.strftime("%Y-%m-%d %H:%M:%S")).reset_index(drop=True)


def ten_features(lines: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Return the rival's ten columns for everybody with a purchase by ``cutoff``."""
    known = lines[(lines["InvoiceDate"] <= cutoff) & (lines["CustomerID"] != "")]
    bought = known[known["Quantity"] > 0]
    by = bought.groupby("CustomerID")
    first, last = by["InvoiceDate"].min(), by["InvoiceDate"].max()
    orders = by["InvoiceNo"].nunique()
    ago = (cutoff - bought["InvoiceDate"]).dt.days
    recent, before = bought[ago < 28].groupby("CustomerID"), bought[(ago >= 28) & (ago < 84)].groupby("CustomerID")
    money = by["money"].sum()
    made = pd.DataFrame(
        {
            "recency": (cutoff - last).dt.days,
            "tenure": (cutoff - first).dt.days,
            "orders": np.log1p(orders),
            "money": np.log1p(money),
            "basket": np.log1p(money / orders),
            "rhythm": np.where(orders > 1, (last - first).dt.days / (orders - 1).clip(lower=1), 999),
            "orders_28": recent["InvoiceNo"].nunique(),
            "orders_28_to_84": before["InvoiceNo"].nunique(),
            "products": np.log1p(by["StockCode"].nunique()),
            "returned": np.log1p(-known[known["Quantity"] < 0].groupby("CustomerID")["money"].sum()),
        }
    ).fillna(0)
    made["late"] = np.log1p(made["recency"] / made.pop("rhythm").clip(lower=1))
    return made


def rival_scores(training: pv.Training, lines: pd.DataFrame, gap: pd.Timedelta) -> pd.DataFrame:
    """Return the tested rows with what training chose (``chosen``) and what the rival says (``rival``)."""
    rows = training.frame.reset_index()[["customer_id", "cutoff", "state", "label"]]
    rows = rows[(rows["state"] == "at_risk") & rows["label"].notna()]
    columns = pd.concat([ten_features(lines, cutoff).assign(cutoff=cutoff) for cutoff in sorted(rows["cutoff"].unique())])
    rows = rows.merge(columns.rename_axis("customer_id").reset_index(), on=["customer_id", "cutoff"], how="left")
    names = [name for name in columns if name != "cutoff"]
    told = training.predictions.reset_index()
    name = training.report["chosen"]["challenger"]
    parts = []
    for cutoff, test in told[told["model"] == name].groupby("cutoff"):
        learn = rows[rows["cutoff"] + gap <= cutoff]
        line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(learn[names], learn["label"])
        test = test.merge(rows[["customer_id", "cutoff", *names]], on=["customer_id", "cutoff"], how="left", validate="1:1")
        parts.append(test.assign(chosen=test["raw"], rival=line.predict_proba(test[names])[:, 1]))
    return pd.concat(parts, ignore_index=True)


def difference(tested: pd.DataFrame, metric: str) -> tuple[float, float, float, float, float]:
    """Return the metric of the chosen, of the rival, and their difference with its 90 % interval (drawn by customer), each a mean of periods."""
    score = roc_auc_score if metric == "auc" else average_precision_score
    codes, who = pd.factorize(tested["customer_id"])
    weights = bootstrap_weights(len(who), 200, 7).T  # the first one as it is
    periods = [(part, codes[part.index]) for _, part in tested.groupby("cutoff")]
    means = np.array(
        [
            [
                np.mean([score(part["label"], part[name], sample_weight=weight[code]) for part, code in periods])
                for name in ("chosen", "rival")
            ]
            for weight in weights
        ]
    )
    gained = means[:, 0] - means[:, 1]
    return (*means[0], gained[0], *np.quantile(gained[1:], [0.05, 0.95]))


def main() -> None:
    """Make each shop, train it by the command, hold it against the rival and print a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--customers", type=int, default=2500)
    parser.add_argument("--told", action="store_true", help="print what training prints")
    parser.add_argument("settings", nargs="*", help="more settings of train")
    asked = parser.parse_args()
    print("| shop | trained on | promoted | metric | chosen | ten features | difference (90 %) |\n|---|---|---|---|---|---|---|")
    for seed in range(1, asked.seeds + 1):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "conf" / "source" / "shop").mkdir(parents=True)
            (folder / "conf" / "source" / "shop.yaml").write_text(SOURCE)
            (folder / "conf" / "source" / "shop" / "customers.sql").write_text(CUSTOMERS)
            (folder / "conf" / "source" / "shop" / "purchases.sql").write_text(PURCHASES)
            lines = shop_lines(asked.customers, seed)
            (folder / "data").mkdir()
            lines.to_csv(folder / "data" / "lines.csv", index=False)
            words = ["source=shop", f"data={folder / 'data'}", f"out={folder / 'out'}", *asked.settings]
            command = [sys.executable, "-m", "pipelines.train", "--config-dir", str(folder / "conf"), *words]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(done.stderr[-2000:])
            training = pv.open(folder / "out").training("churn")
            if asked.told:
                print(done.stdout)
            lines = lines.assign(InvoiceDate=pd.to_datetime(lines["InvoiceDate"]), money=lines["Quantity"] * lines["UnitPrice"])
            tested = rival_scores(training, lines, pd.Timedelta(days=training.report["horizon_days"]))
        chosen = training.report["chosen"]
        for metric in ("auc", "average precision"):
            mine, rival, gained, low, high = difference(tested, metric)
            learned = f"{training.report['snapshots']} rows, {training.report['positive_snapshots']} left"
            print(
                f"| {seed} | {learned} | {chosen['challenger']}, {json.dumps(chosen['promoted'])} | {metric} | {mine:.3f} | {rival:.3f} "
                f"| {gained:+.3f} ({low:+.3f} to {high:+.3f}) |",
                flush=True,
            )


if __name__ == "__main__":
    main()
