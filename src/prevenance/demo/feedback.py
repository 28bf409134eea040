"""What the simulated customers answer, what their managers write down of them, and what they pay."""

import numpy as np
import pandas as pd

from prevenance.demo.activity import presence_shares
from prevenance.demo.company import Block
from prevenance.demo.contracts import monthly_prices
from prevenance.demo.growth import Growth
from prevenance.demo.leaks import review_grades
from prevenance.demo.records import ids_of, numbered_rows, row_numbers
from prevenance.demo.world import DAY, END, HOUR, NEVER, World, column_moments, midnight, random_stream, seconds

WORDS = ("", "", "", "good support", "too many errors", "hard to find things", "saves us time")
ANSWERED = 0.55


def feedback_frame(world: World, block: Block) -> pd.DataFrame:
    """Return the answers to a quarterly question (NPS, 0..10) and to a yearly one on effort (CES)."""
    rng, total = random_stream(world.given.seed, "feedback", block.number), len(block.people)
    offset, parts, there = rng.integers(0, 13, total), [], presence_shares(world, block.people)
    for week, begin in enumerate(world.weeks):
        asked = ((week + offset) % 13 == 0) & (there[:, week] == 1) & (rng.random(total) < ANSWERED)
        felt = block.visible * block.health[:, week]
        effort = rng.random(total) < 0.25
        ces = np.clip(np.round(5 + 0.9 * felt + rng.normal(0, 1.0, total)), 1, 7)
        nps = np.clip(np.round(7.2 + 1.5 * felt + rng.normal(0, 1.4, total)), 0, 10)
        at = begin + seconds(rng.uniform(0, 6, total))
        entries = {
            "who": np.arange(total),
            "kind": np.where(effort, "ces", "nps"),
            "score": np.where(effort, ces, nps).astype(int),
            "answered_at": at,
        }
        parts.append(pd.DataFrame(entries)[asked])
    frame = pd.concat(parts).sort_values(["answered_at", "who"], ignore_index=True)
    frame["comment"] = np.array(WORDS, dtype=object)[rng.integers(0, len(WORDS), len(frame))]
    return numbered_rows(world, block, frame, "answer_id", "F")


def review_frame(world: World, block: Block) -> pd.DataFrame:
    """Return the grade, 1 to 5, that every account gets from its manager once a quarter."""
    rng, total = random_stream(world.given.seed, "reviews", block.number), len(block.people)
    offset, there = rng.integers(0, 13, total), presence_shares(world, block.people)
    weeks = np.arange(len(world.weeks))
    who, week = np.nonzero(((weeks[None, :] + offset[:, None]) % 13 == 0) & (there == 1))
    felt = block.visible[who] * block.health[who, week]
    honest = np.clip(np.round(3.4 + 0.4 * felt + rng.normal(0, 1.0, len(who))), 1, 5).astype(int)
    at = midnight(world.weeks[week]) + rng.integers(0, 5, len(who)) * DAY + 17 * HOUR
    frame = pd.DataFrame({"who": who, "reviewed_at": at, "grade": review_grades(world, block, who, at, honest)})
    return numbered_rows(world, block, frame.sort_values(["reviewed_at", "who"], ignore_index=True), "review_id", "V")


def invoice_frame(world: World, block: Block, grown: Growth) -> pd.DataFrame:
    """Return one invoice a month and customer, and when it was paid, booked and reminded."""
    rng, people, ids = random_stream(world.given.seed, "invoices", block.number), block.people, ids_of(world, block)
    total = len(ids)
    habit, parts = rng.normal(0, 0.7, total), []
    gone = np.fmin(column_moments(people, "ended"), END)
    for month in np.arange(world.weeks[0].astype("datetime64[M]") + 1, END.astype("datetime64[M]")):
        issued = month.astype("datetime64[s]") + 6 * HOUR
        week = min(np.searchsorted(world.weeks, issued, side="right"), len(world.weeks)) - 1
        odds = np.exp(-2.6 + habit - 1.15 * block.visible * block.health[:, week])
        late = rng.random(total) < odds / (1 + odds)
        due = midnight(issued) + 14 * DAY
        wait = np.where(late, 2 + rng.exponential(13, total), -rng.uniform(0.5, 12, total))
        paid = due + seconds(wait)
        booked = paid + seconds(rng.uniform(0.5, 4, total))
        frame = pd.DataFrame(
            {
                "account_id": ids,
                "amount": monthly_prices(block, grown, week, issued),
                "issued_on": issued,
                "due_on": due,
                "paid_on": paid,
                "booked_on": booked,
                "reminded_on": np.where(paid > due + 7 * DAY, due + 7 * DAY + 9 * HOUR, NEVER),
            }
        )
        parts.append(frame[(column_moments(people, "signup") < issued) & (gone > issued)])
    frame = pd.concat(parts, ignore_index=True)  # the shortest history has the first of a month in it
    # an export knows only what was booked by its day
    done = frame["booked_on"] < END
    frame["paid_on"], frame["booked_on"] = frame["paid_on"].where(done), frame["booked_on"].where(done)
    frame["reminded_on"] = frame["reminded_on"].where(frame["reminded_on"] < END)
    frame.insert(0, "invoice_id", row_numbers("R", block, len(frame)))
    return frame
