"""A demo company: the files that its systems would export, written in seconds, with known causes and known flaws.

The hidden truth is in ``company``, ``leaving`` and ``growth``; what each system sees of it in ``activity``, ``tickets``,
``contracts``, ``feedback`` and ``records``; and how well anybody could foresee it in ``truth``, which goes into ``truth.json``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from prevenance.demo import contracts, feedback, records
from prevenance.demo.activity import LOGINS_A_WEEK, USES_A_WEEK, Events, present, product_events
from prevenance.demo.company import Block, block_of
from prevenance.demo.export import EVENTS, events_table, exported, save, spoiled
from prevenance.demo.growth import Growth, growth
from prevenance.demo.leaving import base_of, leavers, leaving, scale_of
from prevenance.demo.oracle import contact_effect, snapshots
from prevenance.demo.switches import Demo, demo_of
from prevenance.demo.tickets import ticket_rows
from prevenance.demo.truth import truth
from prevenance.demo.world import BLOCK, World, account_numbers, releases_of, totals, weeks_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Demo", "Life", "blocks_of", "demo_of", "lives", "world_of", "write"]


@dataclass(frozen=True)
class Life:
    """A block with all that happened in it."""

    block: Block
    grown: Growth
    events: Events
    tickets: pd.DataFrame


def write(folder: Path, given: Demo) -> dict[str, Any]:
    """Write the demo company's files and ``truth.json`` into ``folder`` (made if needed; files of the same name are replaced).

    Customers are made and written block by block, so memory does not grow with their number. Equal settings give equal bytes.

    Returns:
        ``{"rows": {file: rows}, "accounts", "left", "customers", "truth"}``: accounts ever, those gone (or under notice), those still there,
        and what ``truth.json`` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{EVENTS}-*.csv.gz"):
        old.unlink()
    world, rows, left, seen = world_of(given), dict[str, int](), 0, []
    for life in lives(world):
        number = life.block.number
        for name, table in _exports(world, life).items():
            rows[name] = rows.get(name, 0) + save(folder, name, spoiled(world, name, table, number), number)
        left += int(leavers(life.block.people).sum())
        found = snapshots(world, life.block, life.grown, life.events.errors, life.tickets)
        seen.append(found | {"contact": contact_effect(world, life.block)})
    for name, frame in {"products": contracts.products(world), "releases": world.releases}.items():
        rows[name] = save(folder, name, exported(frame), 0)
    known = truth(world, {name: pd.concat([part[name] for part in seen], ignore_index=True) for name in seen[0]})
    (folder / "truth.json").write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    total = totals(given)[0]
    return {"rows": rows, "accounts": total, "left": left, "customers": total - left, "truth": known}


def world_of(given: Demo) -> World:
    """Return what all blocks share.

    Raises:
        PrevenanceError: E202 when more customers should leave than could.
    """
    weeks = weeks_of(given.months)
    releases, bugs = releases_of(weeks, given.seed)
    total = totals(given)[0]
    thin = max(1, int(np.ceil(given.customers * len(weeks) * (LOGINS_A_WEEK + USES_A_WEEK) / max(given.events, 1))))
    world = World(given, weeks, releases, bugs, np.zeros(len(weeks)), 1.0, account_numbers(total, given.seed), thin)
    world = replace(world, base=base_of(world))
    return replace(world, scale=scale_of(world, blocks_of(given)))


def blocks_of(given: Demo) -> int:
    """Return the number of blocks."""
    return -(-totals(given)[0] // BLOCK)


def lives(world: World) -> Iterator[Life]:
    """Return the blocks one after another, each with all that happened in it."""
    for number in range(blocks_of(world.given)):
        block = leaving(world, block_of(world, number))
        grown = growth(world, block)
        events = product_events(world, block, grown)
        yield Life(block, grown, events, ticket_rows(world, block, events.errors, present(world, block.people)))


def _exports(world: World, life: Life) -> dict[str, pa.Table]:
    """Return every file's rows by file name, but for those that belong to no customer."""
    block, grown, ids = life.block, life.grown, records.ids_of(world, life.block)
    accounts, account_changes = records.accounts(world, block, grown)
    held, contract_changes = contracts.contracts(block, grown, ids)
    tickets = life.tickets.assign(who=ids[life.tickets["who"]]).rename(columns={"who": "account_id"})
    tickets.insert(0, "ticket_id", records.numbered("T", block, len(tickets)))
    frames = {
        "crm_accounts": accounts,
        "crm_account_changes": account_changes,
        "account_reviews": feedback.reviews(world, block),
        "subscriptions": held,
        "subscription_changes": contract_changes,
        "purchases": contracts.orders(grown, ids),
        "tickets": tickets,
        "invoices": feedback.invoices(world, block, grown),
        "feedback": feedback.feedback(world, block),
        "contacts": records.contacts(world, block),
        "consents": records.consents(world, block),
    }
    return {name: exported(frame) for name, frame in frames.items()} | {EVENTS: events_table(world, life.events, ids, block.number)}
