"""What the list's script knows and offers: a block of JSON within the page (columns, opened rows, labels, each text once), and the controls.

Nothing in it can end the block or begin markup: ``<``, ``>`` and ``&`` are written as escapes.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prevenance.base.formats import json_value
from prevenance.decide import ranking
from prevenance.publish.cells import Row, View, is_rising, one_line, row_details, table_words
from prevenance.publish.opened import PART_KINDS, Parts
from prevenance.publish.wording import is_known
from prevenance.words import Words

CONSTANT = ("target", "cutoff", "horizon_days", "model", "run_id", "data_until")
"""Columns of the list that are the same in every row."""
COLUMNS = tuple(name for name in ranking.COLUMNS if name not in CONSTANT)
OWN = ("target", "horizon_days", "model", "run_id")
"""Constants of a list that are each row's own on a page of several lists."""
IDS = ("customer_id", "product_id")
"""Columns whose texts say who is meant: never shortened."""
FIRST = 100
"""Rows of a group that are shown before somebody asks for more."""
LONGEST = 300
"""Characters of a text in the block."""
_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def list_block(say: Words, view: View, rows: Sequence[Row], stories: Sequence[Parts | None]) -> str:
    """Return the block for the rows of a page in their order on it; a row whose story stands in the page has none here."""
    names = [*COLUMNS, *(name for name in ranking.PAIR_COLUMNS if any(row.get(name) for row in rows))]
    names += OWN if view.get("lists") else ()
    texts = _Texts()
    content = {
        "run": _run(say, view),
        "first": FIRST,
        "exported": list(dict.fromkeys([*names, *CONSTANT])),
        "columns": {name: _column([row.get(name) for row in rows], exact=name in (*IDS, *OWN)) for name in names} | _private(rows),
        "order": list(PART_KINDS),
        "stories": [[texts.packed(story.get(key)) for key in PART_KINDS] if story else 0 for story in stories],
        "texts": texts.all,
        "labels": script_labels(say),
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(_ESCAPES)


class _Texts:
    """Texts by number, each once."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._numbers: dict[str, int] = {"": -1}
        self.number("")

    def number(self, text: str) -> int:
        """Return the number of a text."""
        if self._numbers.get(text, -1) < 0:
            self._numbers[text] = len(self.all)
            self.all.append(text)
        return self._numbers[text]

    def packed(self, content: Any) -> Any:
        """Return content with its texts as numbers and its mappings as lists; 0 (the empty text) if there is none."""
        if content is None:
            return 0
        if isinstance(content, str):
            return self.number(content)
        return [self.packed(one) for one in (content.values() if isinstance(content, Mapping) else content)]


def _run(say: Words, view: View) -> dict[str, Any]:
    model = view.get("model") or {}
    told = {**{name: view.get(name) for name in CONSTANT}, "model": model.get("version") if isinstance(model, Mapping) else model}
    told["day"] = str(say.day(str(view.get("cutoff") or "")) or "")  # what the script counts days from
    return {key: one_line(value, LONGEST) if isinstance(value, str) else value for key, value in told.items()}


def _private(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the columns that only sorting and filters need."""
    return {
        "_renews_on": _column([row_details(row).get("renews_on") for row in rows]),
        "_last_contact": _column([row_details(row).get("last_contact") for row in rows]),
        "_families": _column([" ".join(reason_families(row)) or None for row in rows]),
        "_rising": _column([int(is_rising(row)) for row in rows]),
        "_moved": _column([row.get("moved") or None for row in rows]),
    }


def reason_families(row: Row) -> list[str]:
    """Return the families of a row's reasons, strongest first, each once."""
    told = [str(one.get("family") or "").split() for one in row_details(row).get("reasons") or []]
    return list(dict.fromkeys(words[0] for words in told if words))


def _column(values: Sequence[Any], *, exact: bool = False) -> Any:
    """Return a column: numbers as they are, texts (``exact``: to the letter) as places in the list of different ones, -1 for none."""
    cells = [json_value(value) for value in values]
    if any(isinstance(value, str) for value in cells):
        shown = [None if value in (None, "") else str(value) if exact else one_line(value, LONGEST) for value in cells]
        places = {text: place for place, text in enumerate(dict.fromkeys(text for text in shown if text is not None))}
        return {"of": list(places), "at": [-1 if text is None else places[text] for text in shown]}
    # A page prints fewer digits anyway, and a long list loads faster without them.
    return [round(value, 6) if is_known(value) and isinstance(value, float) else value for value in cells]


def script_labels(say: Words) -> dict[str, Any]:
    """Return the texts that the script puts into the page; a pair is [one, many]."""
    return {
        "copy": say("Copy"),
        "copied": say("Copied"),
        "saved": say("All notes are saved"),
        "noted": say("Noted: {action}", action="{action}"),
        "undone": say("Taken back: save the notes once more"),
        "acts": answer_buttons(say),
        # The script fills in the number itself: it needs the form for one and the form for many.
        "unsaved": [say.many("{n} note not yet saved", "{n} notes not yet saved", n).replace(say.number(n), "{n}", 1) for n in (1, 2)],
        "found": [say.many("{n} customer", "{n} customers", n).replace(say.number(n), "{n}", 1) for n in (1, 2)],
        "matching": [say.many("{n} fits", "{n} fit", n).replace(say.number(n), "{n}", 1) for n in (1, 2)],
        "further": [say.many("Show {n} more", "Show {n} more", n).replace(say.number(n), "{n}", 1) for n in (1, 2)],
    }


def answer_buttons(say: Words) -> dict[str, str]:
    """Return what can be noted of a row: action of feedback.csv -> its button."""
    told = {"contacted": say("Contacted"), "approved": say("Approved"), "snooze": say("Snooze")}
    return told | {"wrong_alarm": say("Wrong alarm"), "too_late": say("Too late")}


def list_filters(say: Words, view: View, rows: Sequence[Row]) -> dict[str, Any]:
    """Return the filters of a page: those that have something to choose from."""
    owners = sorted({one_line(row["owner"], LONGEST) for row in rows if row.get("owner")})
    segments = sorted({one_line(row["segment"], LONGEST) for row in rows if row.get("segment")})
    called = table_words(say)
    told = sorted({family for row in rows for family in reason_families(row)})
    selects = [
        ("owner", say("Every owner"), [(one, one_line(one, 40)) for one in owners]),
        ("segment", say("Every segment"), [(one, one_line(one, 40)) for one in segments]),
        ("family", say("Every reason"), [(one, called.get(one, one_line(one, 40))) for one in told]),
        ("value", say("Any value"), _values(say, view, rows)),
    ]
    chips = [
        ("renewal", say("Renews within 90 days"), any(row_details(row).get("renews_on") for row in rows)),
        ("new", say("New"), True),
        ("rising", say("Rising"), any(map(is_rising, rows))),
        ("quiet", say("No contact in 30 days"), any("last_contact" in row_details(row) for row in rows)),
    ]
    return {
        "controls": len(rows) > 0,
        "selects": [one for one in selects if len(one[2]) > 1 or (one[0] == "value" and one[2])],
        "chips": [(key, label) for key, label, useful in chips if useful],
    }


def _values(say: Words, view: View, rows: Sequence[Row]) -> list[tuple[str, str]]:
    """Return three round sums of money that part the rows: at half, four fifths and nineteen twentieths."""
    worth = sorted(float(row["value_at_stake"]) for row in rows if is_known(row.get("value_at_stake")))
    sums = dict.fromkeys(float(f"{worth[int(len(worth) * share)]:.1g}") for share in (0.5, 0.8, 0.95)) if len(worth) > 3 else {}
    return [(f"{one:g}", say("{amount} or more", amount=say.money(one, str(view.get("currency") or "")))) for one in sums if one > 0]
