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
from prevenance.demo.activity import LOGINS_A_WEEK, USES_A_WEEK, Events, presence_shares, product_events
from prevenance.demo.company import Block, block_of
from prevenance.demo.desk import ticket_truth
from prevenance.demo.export import EVENTS, events_table, save_table, spoil_table, text_table
from prevenance.demo.growth import Growth, growth_of
from prevenance.demo.leaving import base_hazard, hazard_scale, leavers, with_leaving
from prevenance.demo.oracle import chances_tonight, contact_effect, oracle_snapshots
from prevenance.demo.plants import loss_truth
from prevenance.demo.programme import Programme, cut_off, lived_through
from prevenance.demo.switches import Demo
from prevenance.demo.tickets import BOTTLENECK_FACTOR, ticket_rows
from prevenance.demo.truth import true_chances, truth_facts
from prevenance.demo.world import BLOCK, World, account_numbers, column_moments, customer_totals, releases_of, weeks_of

if TYPE_CHECKING:
    import pyarrow as pa


WRITTEN = {"account_reviews": "reviewed_at", "tickets": "opened_at", "invoices": "issued_on", "feedback": "answered_at"}
"""Files whose rows are cut off where a customer leaves in a programme, and by which column."""


@dataclass(frozen=True)
class Life:
    """A block with all that happened in it. In a programme ``stayed`` is whose rows are written, up to the end of each customer of ``block``, and
    ``contacts`` the truth of each contact; else it is the block.
    """

    block: Block
    grown: Growth
    events: Events
    tickets: pd.DataFrame
    stayed: Block
    contacts: pd.DataFrame | None = None

    @property
    def ended(self) -> np.ndarray:
        """Return when each customer left; NaT where not."""
        return column_moments(self.block.people, "ended")


def write_company(folder: Path, given: Demo, programme: Programme | None = None) -> dict[str, Any]:
    """Write the demo company's files and ``truth.json`` into ``folder`` (made if needed; files of the same name are replaced).

    The true chances of single customers, and where the time of single tickets went, go beside it, into ``truth_folder(folder)``: no folder
    that a model is made from holds them. With ``programme`` the truth of each of its contacts stands there, too.

    Customers are made and written block by block, so memory does not grow with their number. Equal settings give equal bytes.

    Returns:
        ``{"rows": {file: rows}, "accounts", "left", "customers", "truth"}``: accounts ever, those gone (or under notice), those still there,
        and what ``truth.json`` says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    # a smaller company made in the same folder has fewer parts
    for old in folder.glob(f"{EVENTS}-*.csv.gz"):
        old.unlink()
    world, rows, left, seen, told, lost = world_of(given), dict[str, int](), 0, [], [], []
    newest = world.weeks[0]
    for life in iterate_lives(world, programme):
        number = life.block.number
        for name, table in _exports(world, life).items():
            rows[name] = rows.get(name, 0) + save_table(folder, name, spoil_table(world, name, table, number), number)
        left += int(leavers(life.block.people).sum())
        tickets = (
            life.tickets
            if programme is None
            else life.tickets[~(column_moments(life.tickets, "opened_at") >= life.ended[life.tickets["who"]])]
        )
        found = oracle_snapshots(world, life.block, life.grown, life.events.errors, tickets)
        tonight = chances_tonight(world, life.block, life.grown, life.events.errors, tickets)
        truth = ticket_truth(life.tickets)
        place, ids = truth.pop("place"), records.row_numbers("T", life.block, len(life.tickets))
        truth.insert(0, "ticket_id", ids[place])
        lost.append(loss_truth(life.tickets, ids, BOTTLENECK_FACTOR if given.bottleneck else 1.0) if given.plants else None)
        truth = truth[np.isin(place, tickets.index)]
        told.append(truth)
        newest = max(newest, life.events.loaded.max(initial=newest))
        found |= {"contact": contact_effect(world, life.block)} | {f"{name} tonight": rows for name, rows in tonight.items()}
        seen.append(found if life.contacts is None else found | {"programme": life.contacts})
    for name, frame in {"products": contracts.product_frame(world), "releases": world.releases}.items():
        rows[name] = save_table(folder, name, text_table(frame), 0)
    found = {name: pd.concat([part[name] for part in seen], ignore_index=True) for name in seen[0]}
    known = truth_facts(world, found)
    truth_folder(folder).mkdir(exist_ok=True)
    for place in (folder, truth_folder(folder)):
        (place / "truth.json").write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    true_chances(world, found, newest).to_parquet(truth_folder(folder) / "truth_chances.parquet", index=False)
    pd.concat(told, ignore_index=True).to_parquet(truth_folder(folder) / "truth_tickets.parquet", index=False)
    if given.plants:
        pd.concat(lost, ignore_index=True).to_parquet(truth_folder(folder) / "truth_losses.parquet", index=False)
    if programme is not None:
        found["programme"].to_parquet(truth_folder(folder) / "truth_contacts.parquet", index=False)
    total = customer_totals(given)[0]
    return {"rows": rows, "accounts": total, "left": left, "customers": total - left, "truth": known}


def truth_folder(folder: Path) -> Path:
    """Return where the true chances of the customers of ``folder`` stand: beside it."""
    return folder.resolve().with_name(f"{folder.resolve().name}-truth")


def world_of(given: Demo) -> World:
    """Return what all blocks share.

    Raises:
        PrevenanceError: E202 when more customers should leave than could.
    """
    if given.programme:
        # other contacts than its own change nothing in a programme, or the effect would be that of both
        given = replace(given, save_effect=False)
    weeks = weeks_of(given.months)
    releases, bugs = releases_of(weeks, given.seed)
    total = customer_totals(given)[0]
    thin = max(1, int(np.ceil(given.customers * len(weeks) * (LOGINS_A_WEEK + USES_A_WEEK) / max(given.events, 1))))
    world = World(given, weeks, releases, bugs, np.zeros(len(weeks)), 1.0, account_numbers(total, given.seed), thin)
    # in two steps: the factor that makes so many leave needs the base hazard first
    world = replace(world, base=base_hazard(world))
    return replace(world, scale=hazard_scale(world, count_blocks(given)))


def count_blocks(given: Demo) -> int:
    """Return the number of blocks."""
    return -(-customer_totals(given)[0] // BLOCK)


def iterate_lives(world: World, programme: Programme | None = None) -> Iterator[Life]:
    """Return the blocks one after another, each with all that happened in it."""
    for number in range(count_blocks(world.given)):
        block, contacts = block_of(world, number), None
        if programme is None:
            stayed = block = with_leaving(world, block)
        else:
            stayed, block, contacts = lived_through(world, block, programme)
        events = product_events(world, stayed, growth_of(world, stayed))
        tickets = ticket_rows(world, stayed, events.errors, presence_shares(world, stayed.people))
        yield Life(block, growth_of(world, block), events, tickets, stayed, contacts)


def _shown(tickets: pd.DataFrame) -> pd.DataFrame:
    """Return the tickets without the columns that the help desk has not."""
    return tickets.drop(columns=[name for name in tickets if str(name).startswith("true_")])


def _exports(world: World, life: Life) -> dict[str, pa.Table]:
    """Return every file's rows by file name, but for those that belong to no customer."""
    block, grown, ids = life.block, life.grown, records.ids_of(world, life.block)
    accounts, account_changes = records.account_frames(world, block, grown)
    held, contract_changes = contracts.contract_frames(block, grown, ids)
    stayed = life.stayed
    frames = {
        "crm_accounts": accounts,
        "crm_account_changes": account_changes,
        "account_reviews": feedback.review_frame(world, stayed),
        "subscriptions": held,
        "subscription_changes": contract_changes,
        "purchases": contracts.order_frame(grown, ids),
        "tickets": records.numbered_rows(world, block, _shown(life.tickets), "ticket_id", "T"),
        "invoices": feedback.invoice_frame(world, stayed, grown),
        "feedback": feedback.feedback_frame(world, stayed),
        "contacts": records.contact_frame(world, block),
        "consents": records.consent_frame(world, block),
    }
    events = life.events
    if life.contacts is not None:
        ended = pd.Series(life.ended, index=ids)
        frames |= {name: cut_off(frames[name], column, ended) for name, column in WRITTEN.items()}
        events = replace(
            events, **{name: values[~(events.at >= life.ended[events.who])] for name, values in vars(events).items() if name != "errors"}
        )
    return {name: text_table(frame) for name, frame in frames.items()} | {EVENTS: events_table(world, events, ids, block.number)}
