"""A hold-out as an experiment: who was drawn, whether the arms are alike, and what a look at them may say. Pure functions of a draw log.

A row of the log is a customer in the band of one epoch: customer_id, unit, epoch, drawn_at, listed_at (the first list that knew), held, place, score,
value_at_stake, segment; once judged also closes, outcome (1.0, 0.0, NaN where nothing is known) and contacted (1.0 or 0.0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from prevenance.order.holdout import CONTACT, HOLDOUT, HoldOut
from prevenance.proof.effect import Arm, arm_of, contact_span, difference_span, share_span, shrunk_share
from prevenance.proof.looks import arm_sizes, look_bounds, reached_power, weeks_needed

OTHER_KEY = 0.05
"""Share of an epoch's arms that differ from what the key gives, from which the epoch was drawn with another key."""

NOMINAL = 1.959964
CROSSED, BELOW, NOT_SHOWN = "crossed", "below_assumed", "not_shown"
"""What a planned look may find: an effect for sure; surely less than was assumed; neither."""


@dataclass(frozen=True)
class Plan:
    """What was settled before: when looks are, what is assumed of a contact (``share``), and with which power it is to be seen.

    ``held`` is the share that is drawn; ``gain`` says that the outcome is wished for, so that more of it is the effect.
    """

    start: datetime | None
    looks: int
    look_weeks: int
    horizon_days: int
    settle_days: int
    share: float
    held: float
    power: float
    gain: bool = False

    @property
    def dates(self) -> list[datetime]:
        """Return the planned looks: equally spaced, the first when the draws of the first weeks are closed; none before the first draw."""
        if self.start is None:
            return []
        closed = self.start + timedelta(days=self.horizon_days + self.settle_days)
        return [closed + timedelta(weeks=self.look_weeks * number) for number in range(1, self.looks + 1)]


def draw_log(
    arms: Sequence[tuple[datetime, pd.DataFrame]], rules: HoldOut, units_at: Callable[[datetime], pd.Series]
) -> tuple[pd.DataFrame, int]:
    """Return the log and how many draws were left out because another key drew them.

    Who is held out is worked out again from the key, as drawn: what a list shows later (an escalation, a cooling down) does not move anybody from arm to arm.

    Args:
        arms: the cutoff of each list and its ``arms.csv``.
        rules: the draw, with its key.
        units_at: gives customer_id -> unit as known at a moment.
    """
    parts = [one.assign(listed_at=pd.Timestamp(cutoff).as_unit("us")) for cutoff, one in sorted(arms, key=lambda each: each[0])]
    columns = ["customer_id", "unit", "epoch", "drawn_at", "listed_at", "held", "place", "score", "value_at_stake"]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=[*columns, "in_band", "arm"])
    rows = rows[rows["in_band"].astype(bool)]
    if rows.empty:
        return pd.DataFrame(columns=columns), 0
    drawn = pd.to_datetime(rows["drawn_at"], utc=True).dt.tz_localize(None).astype("datetime64[us]")
    rows = rows.assign(drawn_at=drawn, epoch=[rules.epoch(one.to_pydatetime()) for one in drawn])
    seen = rows[rows["arm"].isin([HOLDOUT, CONTACT])].drop_duplicates(["customer_id", "epoch"])
    rows = rows.drop_duplicates(["customer_id", "epoch"]).reset_index(drop=True)
    units = {moment: units_at(moment.to_pydatetime()) for moment in rows["drawn_at"].unique()}
    rows["unit"] = [str(units[at].get(one, one)) for one, at in zip(rows["customer_id"], rows["drawn_at"], strict=True)]
    rows["held"] = [rules.drawn(unit, int(epoch)) for unit, epoch in zip(rows["unit"], rows["epoch"], strict=True)]
    told = rows.merge(seen[["customer_id", "epoch", "arm"]].rename(columns={"arm": "shown"}), on=["customer_id", "epoch"], how="left")
    other = told["shown"].notna() & told["shown"].eq(HOLDOUT).ne(told["held"])
    foreign = other.groupby(told["epoch"]).mean()
    kept = ~rows["epoch"].isin(foreign.index[foreign > OTHER_KEY])
    return rows.loc[kept, columns].reset_index(drop=True), int((~kept).sum())


@dataclass(frozen=True)
class Look:
    """The arms at a moment: the differences are what contacts bring (prevented or won), ``nan`` where no interval can be told.

    ``number`` is that of a planned look, ``None`` of one that was not planned. ``saved`` is money among those drawn to be contacted.
    """

    number: int | None
    at: datetime
    held: Arm
    contact: Arm
    contacted_held: float
    contacted_contact: float
    difference: tuple[float, float, float]
    share: tuple[float, float, float]
    shrunk: float
    itself: tuple[float, float, float]
    saved: tuple[float, float]
    found: str


def look_at(log: pd.DataFrame, plan: Plan, at: datetime, number: int | None) -> Look:
    """Return what the draws say whose windows are closed at ``at``; the interval of a planned look is as wide as its boundary."""
    z = look_bounds(plan.looks)[number - 1] if number else NOMINAL
    rows = log[(log["closes"] <= pd.Timestamp(at)) & (log["listed_at"] <= pd.Timestamp(at)) & log["outcome"].notna()]
    held, outcomes = rows["held"].to_numpy(dtype=bool), rows["outcome"].to_numpy(dtype=float)
    codes, contacted = pd.factorize(rows["unit"])[0], rows["contacted"].to_numpy(dtype=float)
    ours, theirs = (arm_of(outcomes[one], codes[one]) for one in (held, ~held))
    difference = (ours.rate - theirs.rate, *difference_span(ours, theirs, z))
    share, itself = share_span(ours, theirs, z), contact_span(outcomes, contacted, held, codes, z)
    if plan.gain:
        difference, share, itself = _turned(difference), _turned(share), _turned(itself)
    money = float(rows.loc[~rows["held"].astype(bool), "value_at_stake"].sum())
    found = NOT_SHOWN
    if difference[1] > 0 or difference[2] < 0:
        found = CROSSED
    elif share[2] < plan.share:
        found = BELOW
    means = [float(contacted[one].mean()) if one.any() else np.nan for one in (held, ~held)]
    shrunk = shrunk_share(*share, plan.share, z)
    return Look(
        number,
        at,
        ours,
        theirs,
        means[0],
        means[1],
        difference,
        share,
        shrunk,
        itself,
        (money * difference[1], money * difference[2]),
        found,
    )


def _turned(span: tuple[float, float, float]) -> tuple[float, float, float]:
    value, low, high = span
    return -value, -high, -low


@dataclass(frozen=True)
class Verdict:
    """What may be said: ``looks`` that were planned and have been, ``now`` (not planned, moves nothing), the ``share`` in use and where it is from.

    ``share_from`` is assumed, measured (a boundary was crossed) or replaced (surely less than was assumed); then ``by`` is the look that decided.
    """

    looks: tuple[Look, ...]
    now: Look
    share: float
    share_from: str
    by: Look | None
    next_look: datetime | None


def verdict_of(log: pd.DataFrame, plan: Plan, until: datetime) -> Verdict:
    """Return the verdict at ``until``. Only planned looks decide; the first that crosses stays, and until then the newest that lies below the assumption."""
    past = [(number, at) for number, at in enumerate(plan.dates, 1) if at <= until]
    looks = tuple(look_at(log, plan, at, number) for number, at in past)
    by = next((one for one in looks if one.found == CROSSED), None)
    by = by or (looks[-1] if looks and looks[-1].found == BELOW else None)
    share, told = plan.share, "assumed"
    if by is not None:
        share, told = min(max(by.shrunk, 0.0), 1.0), "measured" if by.found == CROSSED else "replaced"
    return Verdict(looks, look_at(log, plan, until, None), share, told, by, next((one for one in plan.dates if one > until), None))


def balance_of(log: pd.DataFrame) -> pd.DataFrame:
    """Return a row for what was known before: what, held, contact (means or shares), off (in standard deviations), p. Only what both arms have is compared."""
    from scipy.stats import chi2_contingency, ttest_ind

    held, found = log["held"].astype(bool), []
    for name in ("score", "value_at_stake"):
        ours, theirs = (pd.to_numeric(log.loc[one, name]).dropna() for one in (held, ~held))
        spread = np.sqrt((ours.var() + theirs.var()) / 2) if min(len(ours), len(theirs)) > 1 else 0.0
        if spread > 0:
            p = float(ttest_ind(ours, theirs, equal_var=False).pvalue)
            found.append(
                {"what": name, "held": ours.mean(), "contact": theirs.mean(), "off": (ours.mean() - theirs.mean()) / spread, "p": p}
            )
    counts = pd.crosstab(log["segment"].fillna(""), held) if "segment" in log and len(log) else pd.DataFrame()
    if counts.shape[0] > 1 and counts.shape[1] == 2:
        p = float(chi2_contingency(counts.to_numpy()).pvalue)
        found += [
            {
                "what": f"segment={name}",
                "held": own[True] / counts[True].sum(),
                "contact": own[False] / counts[False].sum(),
                "off": np.nan,
                "p": p,
            }
            for name, own in counts.iterrows()
        ]
    return pd.DataFrame(found, columns=["what", "held", "contact", "off", "p"])


def plan_rows(plan: Plan, rate: float, drawn_a_week: float, targets: int, worked_a_week: float) -> pd.DataFrame:
    """Return the ways to an answer, the present one first: way, held, needed_held, needed_contact, weeks (infinite where nobody is drawn).

    ``drawn_a_week`` are new customers of the band, ``worked_a_week`` those that are contacted, of whom every second could get another action or another week.
    """
    window = (plan.horizon_days + plan.settle_days) / 7
    ways = [
        ("as_set", plan.held, drawn_a_week),
        ("larger_share", 0.5, drawn_a_week),
        ("wider_band", plan.held, 2 * drawn_a_week),
        ("both", 0.5, 2 * drawn_a_week),
        *([("pooled", plan.held, targets * drawn_a_week)] if targets > 1 else []),
        ("action_or_timing", 0.5, worked_a_week),
    ]
    found = []
    for way, held, weekly in ways:
        needed = arm_sizes(rate, plan.share, held, plan.power, look_bounds(plan.looks)[-1]) if held > 0 else (0, 0)
        weeks = weeks_needed(needed, weekly, held, window) if held > 0 else float("inf")
        found.append({"way": way, "held": held, "needed_held": needed[0], "needed_contact": needed[1], "weeks": weeks})
    return pd.DataFrame(found)


def meter_of(plan: Plan, rate: float, log: pd.DataFrame) -> dict[str, float]:
    """Return needed against had: customers held out and contacted whose window is closed, and the power that they have."""
    bound = look_bounds(plan.looks)[-1]
    needed = arm_sizes(rate, plan.share, plan.held, plan.power, bound) if plan.held > 0 else (0, 0)
    held = log.loc[log["outcome"].notna(), "held"].astype(bool)
    had = int(held.sum()), int((~held).sum())
    power = reached_power(*had, rate, plan.share, bound)
    return {"needed_held": needed[0], "needed_contact": needed[1], "had_held": had[0], "had_contact": had[1], "power": power}
