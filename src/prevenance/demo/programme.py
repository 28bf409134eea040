"""A programme in the demo company: what the team does with each list, and how a contact of it changes who leaves.

Nobody but the lists has anybody contacted from the first list on. Who was left alone by the draw may be contacted all the same, and some are driven away
by a contact. All else of the company stays as it was, week by week: what is known at a list's cutoff does not change with what is done about it.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import pandas as pd

from prevenance.demo.company import Block
from prevenance.demo.leaving import hazard, outcome_moments, with_leaving
from prevenance.demo.switches import Demo
from prevenance.demo.world import DAY, END, HOUR, WEEK, World, column_moments

WORKS_WEEKS = 12
"""For so many weeks after its own a contact multiplies the hazard of leaving; the newest of several counts."""

UNTOLD = "call"
"""The action where the draw names none."""

ZONE = "Europe/Paris"
LISTED, HELD = "listed", "held"


@dataclass(frozen=True)
class Programme:
    """When the first list came out (the end of the history where there is none), and the contacts that were made; times are local.

    ``contacts``: customer_id, part (listed or held), contacted_at, action.
    """

    start: np.datetime64
    contacts: pd.DataFrame


def programme_of(given: Demo, lists: pd.DataFrame) -> Programme:
    """Return what the team did, by what was published.

    Args:
        given: ``complied`` is the share of the listed who are contacted, ``noncompliance`` that of those held out.
        lists: customer_id, cutoff (naive UTC), part and ``option``, what the draw said: an action, the days to wait, or nothing.
    """
    found = []
    for customer, cutoff, part, option in zip(lists["customer_id"], lists["cutoff"], lists["part"], lists["option"], strict=True):
        told = f"{given.seed}/{pd.Timestamp(cutoff).isoformat()}/{customer}"
        if _luck(told, "contacted") < (given.complied if part == LISTED else given.noncompliance):
            waits = str(option).isdigit()
            day = (int(option) if waits else 0) + 1 + int(4 * _luck(told, "day"))
            at = local_moment(cutoff) + day * DAY + np.timedelta64(int(6 * 3600 * _luck(told, "hour")), "s")
            found.append((customer, part, at, UNTOLD if waits or not option else option))
    contacts = pd.DataFrame(found, columns=["customer_id", "part", "contacted_at", "action"]).astype({"contacted_at": "datetime64[s]"})
    start = local_moment(lists["cutoff"].min()) if len(lists) else END
    return Programme(start, contacts.sort_values(["contacted_at", "customer_id"], ignore_index=True))


def _luck(told: str, what: str) -> float:
    code = hashlib.blake2b(f"{told}/{what}".encode(), digest_size=8).digest()
    return int.from_bytes(code, "big") / 2**64


def local_moment(utc: datetime) -> np.datetime64:
    """Return an instant (naive UTC) as the company's own time."""
    return np.datetime64(pd.Timestamp(utc).tz_localize("UTC").tz_convert(ZONE).tz_localize(None).to_pydatetime(), "s")


def lived_through(world: World, block: Block, programme: Programme) -> tuple[Block, Block, pd.DataFrame]:
    """Return a block of which nobody leaves from the first list on, the block as it became, and the truth of each contact (``truth_contacts.parquet``).

    What customers do is drawn for the first and cut off where they leave in the second: one who is kept or driven away changes no row of another.
    """
    ids = pd.Index(world.ids[block.first : block.first + len(block.people)])
    mine = programme.contacts[programme.contacts["customer_id"].isin(ids)]
    mine = mine.assign(who=ids.get_indexer(mine["customer_id"]))
    block = replace(block, contacts=_contacts(block.contacts, mine, programme.start))
    plain = hazard(world, block)
    times = _times(world, block, mine)
    stayed = with_leaving(world, block, np.where(world.weeks + WEEK > programme.start, 0.0, plain))
    lived, alone = with_leaving(world, block, plain * times), with_leaving(world, block, plain)
    who = mine["who"].to_numpy()
    truth = mine[["customer_id", "part", "contacted_at", "action"]].assign(
        harmed=block.people["better_alone"].to_numpy()[who] & (world.given.harm is not None),
        leaving_times=_factors(world, block, mine),
        leaves_alone=outcome_moments(alone.people)[who],
        leaves=outcome_moments(lived.people)[who],
    )
    return stayed, lived, truth


def _contacts(before: pd.DataFrame, made: pd.DataFrame, start: np.datetime64) -> pd.DataFrame:
    """Return the contacts as they are written down: those of before, then those of the programme."""
    own = pd.DataFrame(
        {
            **{"who": made["who"], "contacted_at": made["contacted_at"], "direction": "out", "kind": made["action"], "outcome": "reached"},
            "logged_at": made["contacted_at"] + HOUR,
        }
    )
    kept = before[column_moments(before, "contacted_at") < start]
    return pd.concat([kept.astype({"logged_at": "datetime64[s]", "contacted_at": "datetime64[s]"}), own], ignore_index=True)


def _factors(world: World, block: Block, made: pd.DataFrame) -> np.ndarray:
    """Return by how much each contact multiplies the hazard."""
    given, harmed = world.given, block.people["better_alone"].to_numpy()[made["who"].to_numpy()]
    by_action = made["action"].map(lambda action: float((given.effects or {}).get(action, 1.0))).to_numpy(dtype=float)
    return by_action if given.harm is None else np.where(harmed, given.harm, by_action)


def _times(world: World, block: Block, made: pd.DataFrame) -> np.ndarray:
    """Return by how much the programme multiplies each hazard, (N, W)."""
    found = np.ones((len(block.people), len(world.weeks)))
    weeks = np.searchsorted(world.weeks, column_moments(made, "contacted_at"), side="right")
    for who, week, times in zip(made["who"], weeks, _factors(world, block, made), strict=True):
        found[who, week : week + WORKS_WEEKS] = times
    return found


def cut_off(frame: pd.DataFrame, column: str, ended: pd.Series) -> pd.DataFrame:
    """Return the rows of a file that came before each customer left; ``ended`` is account_id -> moment."""
    gone = ended.reindex(frame["account_id"]).to_numpy().astype("datetime64[s]")
    return frame[~(column_moments(frame, column) >= gone)].reset_index(drop=True)


def programme_facts(given: Demo, truth: pd.DataFrame) -> dict[str, object]:
    """Return what ``truth.json`` says of a programme: what was planted, what was done, and whom it kept or drove away."""
    alone, then = (truth[name].notna() for name in ("leaves_alone", "leaves"))
    return {
        "what": f"a contact of a list multiplies the hazard of leaving for the {WORKS_WEEKS} weeks after its own; truth_contacts.parquet has each",
        "leaving_times": dict(given.effects or {}),
        "harmed": {
            "who": "monthly contracts with fewer than 8 seats at the signup",
            "leaving_times": given.harm,
            "contacts": int(truth["harmed"].sum()),
        },
        "complied": given.complied,
        "noncompliance": given.noncompliance,
        "contacts": {part: int((truth["part"] == part).sum()) for part in (LISTED, HELD)},
        "kept": int((alone & ~then).sum()),
        "driven_away": int((~alone & then).sum()),
    }
