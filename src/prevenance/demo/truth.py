"""What ``truth.json`` says of a demo company: how well an oracle foresees each target, and everything that was planted."""

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from prevenance.demo.activity import DRIFT_LOGINS, LATE_SHARE, LOGGED_OF_BLIND, YEARLY
from prevenance.demo.company import BETTER_ALONE, CONTACT_WEEKS, SAVED
from prevenance.demo.growth import AHEAD, OFFERS
from prevenance.demo.leaks import PLANTED
from prevenance.demo.leaving import DRIFT_LEAVING, RENEWAL_WINDOW_DAYS
from prevenance.demo.oracle import CUTOFFS, STEP_DAYS, TARGETS, TESTS
from prevenance.demo.programme import programme_facts
from prevenance.demo.switches import PROGRAMME
from prevenance.demo.tickets import BOTTLENECK, BOTTLENECK_FACTOR
from prevenance.demo.world import ADDONS, DRIFT_WEEKS, World

COHORT = {
    "churn": "customers with a running contract that is not under notice",
    "tickets": "customers with anything on a ticket in the 365 days before",
    "cross_sell": "pairs of a customer at risk of leaving and an offer that it does not have (add-ons, more-seats, higher-plan)",
}


def truth_facts(world: World, snapshots: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Return what ``truth.json`` holds: the oracle's figures for each target, then leaks, effects, biases, drift, season and settings."""
    given = world.given
    return {
        **{target: _oracle(target, snapshots[target]) for target in TARGETS},
        "leaks": [
            {"name": name, "file": leak["file"], "column": leak["columns"][0], **leak, "default": False, "on": name in given.leaks}
            for name, leak in PLANTED.items()
        ],
        "effects": _effects(world, snapshots["contact"]),
        "biases": [
            {
                "on": given.bias,
                "column": "segment",
                "value": "mid",
                "what": f"only {LOGGED_OF_BLIND:.0%} of its product events are logged, and nothing in its records follows its health; it leaves like all others",
            }
        ],
        "drift": {
            "on": given.drift,
            "weeks": DRIFT_WEEKS,
            "from": str(world.weeks[max(0, len(world.weeks) - DRIFT_WEEKS)]),
            "logins_times": DRIFT_LOGINS,
            "leaving_times": DRIFT_LEAVING,
        },
        "season": {"on": given.season, "use_by_month": YEARLY.tolist(), "capacity_pack_months": (np.flatnonzero(AHEAD) + 1).tolist()},
        "settings": {
            name: value
            for name, value in asdict(given).items()
            if (given.programme or name not in PROGRAMME) and (name != "plants" or given.plants)
        },
        **({"programme": programme_facts(given, snapshots["programme"])} if given.programme else {}),
    }


def true_chances(world: World, snapshots: dict[str, pd.DataFrame], newest: np.datetime64) -> pd.DataFrame:
    """Return target, customer_id, product_id (of an offer, else null), cutoff (UTC), chance: at the cutoffs of the oracle's figures and tonight.

    ``newest`` is when the last event was loaded, which is what a list of the whole history is made as of; tonight's chances carry it.
    """
    parts = []
    for target in TARGETS:
        past, now = snapshots[target], snapshots[f"{target} tonight"].assign(cutoff=newest)
        rows = pd.concat([past[list(now.columns)], now], ignore_index=True)
        utc = pd.DatetimeIndex(rows["cutoff"]).tz_localize("Europe/Paris").tz_convert("UTC").tz_localize(None).as_unit("us")
        offer = np.array(OFFERS, dtype=object)[rows["offer"].to_numpy(dtype=int)] if target == "cross_sell" else None
        ids = world.ids[rows["who"].to_numpy(dtype=int)]
        parts.append(
            pd.DataFrame({"target": target, "customer_id": ids, "product_id": offer, "cutoff": utc, "chance": rows["chance"].astype(float)})
        )
    found = pd.concat(parts, ignore_index=True)
    return found.sort_values(["target", "cutoff", "customer_id", "product_id"], kind="stable", ignore_index=True)


def _effects(world: World, contact: pd.DataFrame) -> dict[str, Any]:
    given = world.given
    return {
        "contact": {
            "leaving_within_90_days": {
                name: _contacted(contact[contact["better_alone"].astype(bool) == alone])
                for name, alone in (("better_left_alone", True), ("all_others", False))
            },
            "on": given.save_effect,
            "what": "a call, meeting or training by us that reached somebody multiplies the hazard of leaving for some weeks",
            "weeks": CONTACT_WEEKS,
            "leaving_times": SAVED,
            "better_left_alone": {"who": "monthly contracts with fewer than 8 seats at the signup", "leaving_times": BETTER_ALONE},
        },
        "bottleneck": {"on": given.bottleneck, "queue": BOTTLENECK, "waiting_times": BOTTLENECK_FACTOR},
        "renewal": {"what": "yearly contracts are mostly given up so many days before their renewal", "days": list(RENEWAL_WINDOW_DAYS)},
        "cross_sell": {
            "higher-plan": "use near the limit of the plan",
            "more-seats": "seats nearly used up, team growing",
            **dict(zip(ADDONS["product_id"], _CAUSES, strict=True)),
        },
        "flaws": {"late_share_of_events": LATE_SHARE * given.late}
        | {name: getattr(given, name) for name in ("duplicates", "orphans", "bad_cells", "opt_outs")},
    }


def _contacted(some: pd.DataFrame) -> dict[str, Any]:
    """Return the mean chance of deciding to leave with one contact now and without any, at the newest cutoff."""
    means = {name: round(float(some[name].mean()), 4) if len(some) else None for name in ("contacted", "alone")}
    return {"customers": len(some), **means}


_CAUSES = (
    "the industry",
    "the industry, use near the limit, the months before the busy season",
    "the industry, a growing team",
    "the industry, much trouble",
    "the industry, a larger plan",
)


def _oracle(target: str, found: pd.DataFrame) -> dict[str, Any]:
    """Return the oracle's figures, pooled over the test cutoffs as a training report pools them: means weighted by outcomes."""
    horizon, settle = TARGETS[target]
    parts = [one for _, one in found.groupby("cutoff", sort=True)]
    # a cutoff without an outcome, or with nothing else, ranks nobody
    figures = [(roc_auc(one), average_precision(one), int(one["outcome"].sum())) for one in parts if one["outcome"].nunique() > 1]
    weight = sum(positives for _, _, positives in figures)

    def pooled(place: int) -> float | None:
        return round(sum(float(one[place]) * one[2] for one in figures) / weight, 4) if weight else None

    return {
        "roc_auc": pooled(0),
        "average_precision": pooled(1),
        "snapshots": len(found),
        "positives": int(found["outcome"].astype(bool).sum()),
        "expected_positives": round(float(found["chance"].astype(float).sum()), 1),
        "cutoffs": [str(pd.Timestamp(one["cutoff"].iloc[0]).tz_localize("Europe/Paris").tz_convert("UTC").date()) for one in parts],
        "how": (
            f"{COHORT[target]}, ranked by the true chance of the outcome within {horizon} days, knowing hidden health and decisions up to the cutoff; "
            f"the newest {TESTS} of at most {CUTOFFS} cutoffs every {STEP_DAYS} days whose window (and {settle} days to settle) is closed; figures are means "
            "over the cutoffs weighted by outcomes"
        ),
    } | ({"offers": list(OFFERS)} if target == "cross_sell" else {})


def _steps(found: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return outcomes and rows at each different chance, best first."""
    chance, outcome = found["chance"].to_numpy(dtype=float), found["outcome"].to_numpy(dtype=float)
    # rows of one chance are one step: any order among them would be luck
    _, group = np.unique(-chance, return_inverse=True)
    return np.bincount(group, outcome), np.bincount(group).astype(float)


def roc_auc(found: pd.DataFrame) -> float:
    """Return the chance that a row with the outcome ranks above one without, ties counting half."""
    outcomes, rows = _steps(found)
    others = rows - outcomes
    below = others.sum() - np.cumsum(others)
    return float((outcomes * (below + 0.5 * others)).sum() / (outcomes.sum() * others.sum()))


def average_precision(found: pd.DataFrame) -> float:
    """Return the average precision, ties taken as one step."""
    outcomes, rows = _steps(found)
    return float((outcomes * np.cumsum(outcomes) / np.cumsum(rows)).sum() / outcomes.sum())
