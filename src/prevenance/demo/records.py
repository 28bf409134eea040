"""What the simulated company's offices keep: accounts and their changes, contacts and consents."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from prevenance.demo.company import Block
from prevenance.demo.growth import Growth
from prevenance.demo.leaks import edited_segment, exit_surveys
from prevenance.demo.names import hostile_names, plain_names
from prevenance.demo.world import DAY, END, HOUR, INDUSTRIES, NEVER, PLANS, World, column_moments, random_stream, seconds

OWNERS = ("Alba Moreau", "Ben Okafor", "Chiara Lind", "Dana Petrov", "Emil Haas", "Farah Nouri")
COUNTRIES = (("FR", "fr"), ("DE", "de"), ("CH", "de"), ("GB", "en"), ("BE", "fr"), ("NL", "en"), ("AT", "de"), ("IE", "en"))
COUNTRY_SHARES = [0.28, 0.24, 0.1, 0.14, 0.08, 0.06, 0.06, 0.04]


def ids_of(world: World, block: Block) -> np.ndarray:
    """Return the account numbers of a block."""
    return world.ids[block.first : block.first + len(block.people)]


def account_frames(world: World, block: Block, grown: Growth) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the accounts as they stand today and the log of what was changed in them."""
    rng, people, ids = random_stream(world.given.seed, "accounts", block.number), block.people, ids_of(world, block)
    total, signup = len(ids), column_moments(people, "signup")
    names = plain_names(rng, total)
    where = rng.choice(len(COUNTRIES), total, p=COUNTRY_SHARES)
    frame = pd.DataFrame(
        {
            "account_id": ids,
            "name": hostile_names(names, world.given.seed, block.number) if world.given.hostile_names else names,
            "segment": people["segment"],
            "industry": np.array(INDUSTRIES, dtype=object)[people["industry"]],
            "country": np.array(COUNTRIES, dtype=object)[where, 0],
            "language": np.array(COUNTRIES, dtype=object)[where, 1],
            "plan": PLANS["plan"].to_numpy()[people["plan_no"]],
            "owner": np.array(OWNERS, dtype=object)[rng.integers(0, len(OWNERS), total)],
            "parent_id": pd.Series(np.roll(ids, 1)).where(rng.random(total) < 0.03 * (total > 1)),
            "created_at": signup - seconds(rng.uniform(3, 40, total)),
        }
    )
    frame["industry"] = frame["industry"].where(rng.random(total) > 0.12)
    frame["owner"] = frame["owner"].where(rng.random(total) > 0.03)
    moved = signup + (rng.uniform(0, 1, total) * (END - signup).astype(float)).astype("timedelta64[s]")
    moved = np.where((rng.random(total) < 0.15) & (moved >= world.weeks[0]), moved, NEVER)
    owners = np.array(OWNERS, dtype=object)[rng.integers(0, len(OWNERS), total)]
    changed = ~np.isnat(moved) & (frame["owner"].to_numpy() != owners)
    entries = {"account_id": ids, "field": "owner", "old_value": frame["owner"], "new_value": owners, "changed_at": moved}
    log = pd.concat([pd.DataFrame(entries)[changed], _plan_changes(block, grown, ids)])
    # the account shows today's owner, the log how it came
    frame["owner"] = frame["owner"].where(~changed, owners)
    plans = log[log["field"] == "plan"]
    newest = dict(zip(plans["account_id"], plans["new_value"], strict=True))
    frame["plan"] = [newest.get(account, plan) for account, plan in zip(ids, frame["plan"], strict=True)]
    frame["segment"] = edited_segment(world, block)
    surveys = exit_surveys(world, block)
    frame = frame.assign(exit_survey_score=surveys["score"], exit_survey_on=surveys["at"])
    return frame.sort_values("account_id", ignore_index=True), log.sort_values(["changed_at", "account_id", "field"], ignore_index=True)


def _plan_changes(block: Block, grown: Growth, ids: np.ndarray) -> pd.DataFrame:
    """Return one entry per move to a higher plan, ten hours after the contract was changed, in order of time."""
    log = grown.changes.sort_values(["who", "at"])
    before = log.groupby("who")["plan"].shift().fillna(block.people["plan_no"].reindex(log["who"]).set_axis(log.index)).astype(int)
    names = PLANS["plan"].to_numpy()
    frame = pd.DataFrame(
        {
            "account_id": ids[log["who"]],
            "field": "plan",
            "old_value": names[before],
            "new_value": names[log["plan"].astype(int)],
            "changed_at": column_moments(log, "at") + HOUR,
        }
    )
    return frame[frame["old_value"] != frame["new_value"]]


def contact_frame(world: World, block: Block) -> pd.DataFrame:
    """Return the contacts that were written down while each was a customer."""
    people, frame = block.people, block.contacts
    who = frame["who"].to_numpy()
    shown = ~(column_moments(frame, "contacted_at") >= column_moments(people, "ended")[who]) & (column_moments(frame, "logged_at") < END)
    return numbered_rows(world, block, frame[shown], "contact_id", "K", ("contacted_at", "account_id"))


def consent_frame(world: World, block: Block) -> pd.DataFrame:
    """Return what customers said about being contacted: yes at their signup, and a later no of about two in a hundred."""
    rng, ids = random_stream(world.given.seed, "consents", block.number), ids_of(world, block)
    signup = column_moments(block.people, "signup")
    asked = rng.random(len(ids)) < 0.4
    yes = pd.DataFrame({"account_id": ids, "purpose": "outreach", "allowed": "yes", "changed_at": signup})[asked]
    no = np.maximum(signup + 20 * DAY, world.weeks[0]) + seconds(rng.uniform(0, 300, len(ids)))
    refused = (rng.random(len(ids)) < 0.02) & (no < END) & world.given.opt_outs
    left = pd.DataFrame({"account_id": ids, "purpose": "outreach", "allowed": "no", "changed_at": no})[refused]
    return pd.concat([yes, left]).sort_values(["changed_at", "account_id"], ignore_index=True)


def row_numbers(letter: str, block: Block, rows: int) -> np.ndarray:
    """Return a number for each row of a block, such as T001042, that no other block gives."""
    first = block.number * 10_000_000
    return np.array([f"{letter}{number:06d}" for number in range(first + 1, first + rows + 1)], dtype=object)


def numbered_rows(world: World, block: Block, frame: pd.DataFrame, column: str, letter: str, order: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows of customers as an office keeps them: with the account's number, in ``order``, each with a number of its own."""
    frame = frame.assign(who=ids_of(world, block)[frame["who"]]).rename(columns={"who": "account_id"})
    frame = frame.sort_values(list(order), ignore_index=True) if order else frame
    frame.insert(0, column, row_numbers(letter, block, len(frame)))
    return frame
