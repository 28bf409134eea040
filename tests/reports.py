"""A report as training makes it, with ugly data, for the tests of the pages."""

from __future__ import annotations

from typing import Any

import numpy as np

UGLY = '<script>alert("x")</script> & | `code` \x1b[31m\u202ered'
METRICS = {
    "precision_at_capacity": 0.325,
    "recall_at_capacity": 0.359,
    "lift_at_capacity": 10.2,
    "average_precision": 0.34,
    "roc_auc": 0.84,
    "brier": 0.028,
    "observed_over_expected": 0.94,
}
CUTOFFS = ["2025-01-01", "2025-04-01", "2025-07-01", "2025-10-01", "2026-01-01", "2026-04-01"]
HITS = {
    "lightgbm": [12, 11, 14, 13, 15, 13],
    "rule": [7, 6, 8.5, 9, 8, 7],
    "customer_rules": [5, 5, 6, 7, 5, 6],
    "champion": [11, 10, 13, 13, 14, 13],
}


def estimates(times: float) -> dict[str, dict[str, float | None]]:
    return {name: {"value": value * times, "low": value * times * 0.8, "high": value * times * 1.2} for name, value in METRICS.items()}


def report() -> dict[str, Any]:
    """Return a full report."""
    models = {
        name: estimates(times)
        for name, times in (("lightgbm", 1.0), ("logistic", 0.9), ("champion", 0.95), ("rule", 0.58), ("customer_rules", 0.4))
    }
    models["base_rate"] = estimates(0.1) | {"roc_auc": {"value": np.nan, "low": None, "high": None}}
    periods = [
        {
            "cutoff": f"{cutoff}T00:00:00.000",
            "customers": 1064 + 30 * place,
            "positives": 34 + place,
            "random": 1.3,
            **{name: hits[place] for name, hits in HITS.items()},
        }
        for place, cutoff in enumerate(CUTOFFS)
    ]
    bins = [
        {"predicted": 0.002 * 1.7**n, "seen": 0.0021 * 1.68**n, "snapshots": 682, "low": 0.001 * 1.6**n, "high": 0.004 * 1.7**n}
        for n in range(10)
    ]
    counts = {
        "read": 4_100_000,
        "used": 4_099_000,
        "excluded": {"duplicate": 600, "after_as_of": 100},
        "quarantined": {UGLY: 300},
        "newest_known_at": "2026-09-30T22:15:00",
    }
    return {
        "target": "churn",
        "says": "gave notice on, or ended, every contract within 90 days of the cutoff",
        "source": "demo",
        "as_of": "2026-10-01T00:00:00",
        "cutoffs": CUTOFFS,
        "horizon_days": 90,
        "settle_days": 7,
        "lead_days": 14,
        "positives": 190,
        "customers": 1240,
        "snapshots": 6826,
        "positive_snapshots": 217,
        "open_labels": 1180,
        "capacity": 40,
        "rule": "days_since_login, largest first",
        "folds": [
            {"fit": CUTOFFS[: place + 1], "calibrate": CUTOFFS[place : place + 1], "test": cutoff} for place, cutoff in enumerate(CUTOFFS)
        ],
        "folds_svg": '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="138"><text x="20" y="16" font-size="13">F F C T</text></svg>',
        "models": models,
        "periods": periods,
        "shipped": {
            "policy": "value_above_floor",
            "floor_times": 2.0,
            "contacts": 240,
            "hits": 78,
            "outcomes": 219,
            "money_caught": 480_000.0,
            "periods": [
                {
                    "cutoff": cutoff,
                    "contacts": 40,
                    "hits": hits,
                    "outcomes": 34 + place,
                    "money_caught": 80_000.0,
                    "floor": 0.06,
                    "above_floor": 90,
                }
                for place, (cutoff, hits) in enumerate(zip(CUTOFFS, HITS["lightgbm"], strict=True))
            ],
        },
        "policies": {
            name: {
                metric: {"value": value * times, "low": value * times * 0.7, "high": value * times * 1.3}
                for metric, value in {
                    "hits": 78.0,
                    "precision": 0.325,
                    "recall": 0.36,
                    "money_caught": 480_000.0,
                    "expected_net": 57_600.0,
                }.items()
            }
            | {"expected_net_difference": {"value": 57_600.0 * (times - 1), "low": -1.0, "high": 2.0}}
            for name, times in (("value_above_floor", 1.0), ("chance", 0.9), (UGLY, 0.8), ("rule", 0.6), ("random", 0.1))
        },
        "tested_as": "lightgbm",
        "reasons_stability": {
            "refits": 10,
            "listed": 40,
            "stable": 35,
            "unstable": 5,
            "share_stable": 0.875,
            "share_kept": 0.71,
            "trivial": False,
        },
        "gaps": [
            {
                "name": name,
                "model": name == "lightgbm",
                "footprint": name == UGLY,
                "aucs": [
                    {"days": days, "auc": auc, "low": auc - 0.05 if auc else None, "high": auc and auc + 0.05, "customers": 40}
                    for days, auc in zip(("1–7", "8–28", "29–56", "57+"), aucs, strict=True)
                ],
            }
            for name, aucs in (("lightgbm", (0.9, 0.85, 0.8, 0.75)), ("logins_28d", (0.7, 0.68, 0.66, None)), (UGLY, (0.8, 0.5, 0.5, 0.5)))
        ],
        "drift": {
            "before": 1100,
            "now": 1240,
            "looked": 81,
            "moved": [
                {"feature": UGLY, "psi": 0.31, "threshold": 0.06, "swing": 0.1, "text": f"median 12 → 7 {UGLY}", "grown": False},
                {
                    "feature": "nps_last",
                    "psi": 0.2,
                    "threshold": 0.06,
                    "swing": 0.1,
                    "text": "unknown for 46 → 18 % of customers",
                    "grown": True,
                },
            ],
            "left_out": ["month_sin", "tenure_days"],
            "learned": ["2025-01-01T00:00:00", "2025-10-01T00:00:00"],
            "newest": "2026-10-01T00:00:00",
        },
        "leakage_types": [
            {"type": name, "title": "no test set", "answer": f"6 test periods {UGLY}", "status": status}
            for name, status in (("L1.1", "pass"), ("L1.2", "pass"), ("L2", "warn"))
        ],
        "outreach": {"share": 0.15, "cost_per_contact": 60.0},
        "privacy": {"purpose": f"offering help {UGLY}", "legal_basis": "legitimate interest (GDPR Art. 6(1)(f))"},
        "settings": {"seed": 7, "model.kind": UGLY, "target.category": "", "validation.start": None},
        "calibration": {
            "error": 0.012,
            "error_by_luck": {"value": 0.01, "high": 0.018},
            "predicted": 0.034,
            "seen": 0.032,
            "worst_tenth": {"predicted": 0.31, "seen": 0.27},
            "bins": bins,
        },
        "chosen": {
            "model": "lightgbm",
            "challenger": "lightgbm",
            "promoted": True,
            "why": "promoted: average precision 0.34 against the rule's 0.19, difference +0.15 (90 % interval +0.08 to +0.22), over 6 test periods.",
        },
        "gates": {
            "beats_rivals": "pass",
            "periods": "pass",
            "precision_at_capacity": "pass",
            "brier": "pass",
            "slices": "fail",
            "checks": "warn",
        },
        "leakage": [{"feature": "csm_health_manual", "why": f"it alone reaches AUC 0.98 {UGLY}", "flattered_by": 0.31}],
        "checks": [
            {"code": "PV001", "title": "features from the future", "text": f"1 feature was left out {UGLY}", "severity": "warn"},
            {"code": "PV002", "title": "too good to be true", "text": "AUC 0.84 on 190 customers with the outcome", "severity": "pass"},
        ],
        "lead_time": {
            "median_days": 47.0,
            "too_late": 9,
            "outcomes": 78,
            "weeks": [{"week": week, "outcomes": 13, "too_late": 9 if week == 0 else 0} for week in range(6)],
        },
        "slices": [
            {
                "column": "segment",
                "value": UGLY,
                "customers": 400,
                "snapshots": 2000,
                "positives": 60,
                "average_precision": 0.31,
                "rule": 0.35,
                "collapse": True,
                "enough": True,
                "worse": f"AUC 0.61, 0.83 for everyone else {UGLY}",
                "starved": True,
                "says": "ranked worse than by the rule",
                "recall": 0.2,
                "others_recall": 0.5,
                "false_alarms": 40,
                "roc_auc": 0.61,
                "others_auc": 0.83,
                "auc_gap": {"value": -0.22, "low": -0.3, "high": -0.1},
                "attention": {"value": 0.52, "low": 0.4, "high": 0.66},
                "outcome_share": 0.58,
                "contact_share": 0.30,
            },
            {
                "column": "segment",
                "value": "Mid",
                "customers": 300,
                "snapshots": 1700,
                "positives": 70,
                "average_precision": 0.41,
                "rule": 0.35,
                "collapse": False,
                "enough": True,
                "worse": "",
                "starved": True,
                "says": "gets less attention than its losses",
                "attention": {"value": 0.5, "low": 0.4, "high": 0.7},
                "outcome_share": 0.40,
                "contact_share": 0.20,
            },
            {
                "column": "segment",
                "value": "Enterprise",
                "customers": 90,
                "snapshots": 500,
                "positives": 3,
                "average_precision": None,
                "rule": None,
                "collapse": False,
                "enough": False,
                "worse": "",
                "starved": False,
                "says": "not enough data",
                "attention": {"value": None, "low": None, "high": None},
                "outcome_share": 0.01,
                "contact_share": 0.05,
            },
        ],
        "features": 84,
        "dropped": ["plan_word"],
        "enough": "yes: 190 customers with the outcome",
        "data": {
            "customers": {"read": 1251, "opted_out": 11, "after_as_of": 0},
            "tables": {
                "usage": counts,
                "tickets": counts | {"excluded": {}, "quarantined": {}},
                "feedback": {"read": 0, "used": 0, "excluded": {}, "quarantined": {}, "newest_known_at": ""},
            },
        },
        "messages": [f"lookback of 365 days left out: the history has 300 days {UGLY}"],
        "seconds": {"read files": 2.4, "churn: back-test rule, lightgbm": 14.2},
        "files": {
            "folder": "out/train/churn",
            "model": "churn version 14",
            "digest": "8c1e00ab12cd",
            "next": "make score ARGS='target=churn'",
        },
    }


def poor_reports() -> dict[str, dict[str, Any]]:
    """Return reports that miss what a small company cannot have."""
    rule = {
        "model": "rule",
        "challenger": None,
        "promoted": False,
        "why": "not promoted: no positives in 12 matured snapshots: rules, no model; the rule stays.",
    }
    nothing = {name: {"value": None, "low": None, "high": None} for name in METRICS}
    whole = report()
    return {
        "nothing": {},
        "only a target": {"target": "churn"},
        "rules": {
            "target": "churn",
            "source": "demo",
            "positives": 0,
            "customers": 1,
            "snapshots": 0,
            "positive_snapshots": 0,
            "chosen": rule,
            "gates": {"enough": "warn"},
            "folds": [],
            "models": {},
            "periods": [],
            "lead_time": {"median_days": None, "too_late": 0, "outcomes": 0},
            "calibration": {},
            "slices": [],
            "leakage": [],
        },
        "undefined metrics": whole
        | {
            "models": {"rule": nothing, "base_rate": nothing},
            "chosen": rule,
            "periods": [{"cutoff": "2026-01-01", "customers": 3, "positives": 0, "random": 0.0, "hits": {"rule": 0}}],
        },
        "nulls": {key: None for key in whole if key not in ("target", "chosen")}
        | {"target": "churn", "chosen": {"model": "rule", "why": "x"}},
    }
