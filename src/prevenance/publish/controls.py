"""What a reader can choose on the list's page: filters, and what to note of a customer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prevenance.publish import block, cells, wording
from prevenance.publish.cells import Row, View, line
from prevenance.words import Words


def filters(say: Words, view: View, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the filters of a page: those that have something to choose from."""
    owners = sorted({line(row["owner"], block.LONGEST) for row in rows if row.get("owner")})
    segments = sorted({line(row["segment"], block.LONGEST) for row in rows if row.get("segment")})
    known = cells.table_words(say)
    told = sorted({family for row in rows for family in block.families(row)})
    selects = [
        ("owner", say("Every owner"), [(one, line(one, 40)) for one in owners]),
        ("segment", say("Every segment"), [(one, line(one, 40)) for one in segments]),
        ("family", say("Every reason"), [(one, known.get(one, line(one, 40))) for one in told]),
        ("value", say("Any value"), _values(say, view, rows)),
    ]
    chips = [
        ("renewal", say("Renews within 90 days"), any(cells.details(row).get("renews_on") for row in rows)),
        ("new", say("New"), True),
        ("rising", say("Rising"), any(wording.known(row.get("change_28d")) for row in rows)),
        ("quiet", say("No contact in 30 days"), any("last_contact" in cells.details(row) for row in rows)),
    ]
    return {
        "controls": len(rows) > 0,
        "selects": [one for one in selects if len(one[2]) > 1 or (one[0] == "value" and one[2])],
        "chips": [(key, label) for key, label, useful in chips if useful],
    }


def _values(say: Words, view: View, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return three round sums of money that part the rows: at half, four fifths and nineteen twentieths."""
    worth = sorted(float(row["value_at_stake"]) for row in rows if wording.known(row.get("value_at_stake")))
    sums = dict.fromkeys(float(f"{worth[int(len(worth) * share)]:.1g}") for share in (0.5, 0.8, 0.95)) if len(worth) > 3 else {}
    return [(f"{one:g}", say("{amount} or more", amount=say.money(one, str(view.get("currency") or "")))) for one in sums if one > 0]


def choices(say: Words) -> dict[str, list[tuple[Any, str]]]:
    """Return what can be chosen of a note, value of feedback.csv -> its words: channels, outcomes, spans, reasons."""
    return {
        "channels": [("call", say("Call")), ("email", say("Email")), ("meeting", say("Meeting"))],
        "outcomes": [("reached", say("Reached")), ("message", say("Message left")), ("no_answer", say("No answer"))],
        "spans": [(7, say("1 week")), (14, say("2 weeks")), (30, say("1 month"))],
        "snoozes": [
            ("holiday", say("Holiday")),
            ("project_pause", say("Project pause")),
            ("in_talks", say("Already in talks")),
            ("other", say("Other")),
        ],
        "alarms": [
            ("known_reason", say("The reason is known")),
            ("data_error", say("The data are wrong")),
            ("not_a_risk", say("Not a risk")),
        ],
    }
