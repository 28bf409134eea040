"""The canonical tables: their columns, types and rules, all as rows.

Every table is a log: one row is something that happened. ``event_at`` is when it happened, ``known_at`` when we knew
it, both UTC instants without zone in the engine. Ids are text and stay text. What does not fit a rule is quarantined
with a reason; nothing is dropped in silence.
"""

from dataclasses import dataclass

SQL_TYPES = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "choice": "VARCHAR",
    "instant": "TIMESTAMP",
    "number": "DECIMAL(18,4)",
    "flag": "BOOLEAN",
}

EARLIEST, LATEST = "1990-01-01", "2100-01-01"
"""Instants outside [EARLIEST, LATEST) are quarantined: 1970, 0001 and 9999 are placeholders, not history."""

CLOCK_SLACK_MINUTES = 5
"""A fact may look known up to this long before it happened (two clocks never agree to the second)."""

# what a spreadsheet exports where its formula broke
SHEET_ERRORS = ("#ref!", "#n/a", "#div/0!", "#value!", "#name?", "#num!", "#null!")
NOTHING_WORDS = ("", "nan", "nat", "na", "<na>", "n/a", "null", "none", "-", "\\n", *SHEET_ERRORS)
"""Words that mean "nothing", compared in lower case without blanks around. They are as an empty cell, and counted."""

MISSING_WORDS = (*NOTHING_WORDS, "inf", "-inf", "+inf", "infinity", "-infinity")
"""Words that mean "no number", compared in the same way."""

AS_WRITTEN = ("name", "subject", "body", "text")
"""Text columns in which such a word is what somebody wrote, or is called: Null is a surname."""


@dataclass(frozen=True)
class Column:
    """A column of a canonical table.

    ``kind`` is a key of ``SQL_TYPES``. ``low``/``high`` bound a number, both ends included; ``choices`` lists the
    values of a choice. ``personal`` values are never printed. What is ``apart`` only the process of the tickets reads: no feature, no
    target and no page sees it. What is ``written`` by people no feature of ours reads; a definition from outside may.
    """

    name: str
    kind: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    personal: bool = False
    apart: bool = False
    written: bool = False


@dataclass(frozen=True)
class Table:
    """A canonical table and what makes two of its rows the same fact.

    ``once``: two rows equal in every column are one fact (the second is excluded, reason ``duplicate``). Other tables
    may repeat a row (three equal purchases are three purchases), unless the select gives ``_id``, the source's own row id.
    ``key``: two rows with equal key and other content contradict each other; both are quarantined (``conflicting_key``).
    ``_id`` is always such a key, and so are the ids, the event and both clocks of a row whose event is one of ``states``: it says how its thing
    stands from then on, and two of one instant cannot both be true.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    once: bool = False
    states: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def shared(self) -> tuple[str, ...]:
        """Return the names of the columns that features, targets and pages may ask, in order."""
        return tuple(column.name for column in self.columns if not column.apart)

    @property
    def seldom(self) -> tuple[str, ...]:
        """Return the names of the columns that few commands read, in order: a run that does not may leave them empty."""
        return tuple(column.name for column in self.columns if column.apart or column.written)

    def column(self, name: str) -> Column:
        """Return the column called ``name``; ``KeyError`` if there is none."""
        return {column.name: column for column in self.columns}[name]

    @property
    def per_customer(self) -> bool:
        """Return whether rows belong to a customer."""
        return "customer_id" in self.names


# known_at is not required: a source that has only one clock declares a delay instead
CLOCKS = (Column("event_at", "instant", required=True), Column("known_at", "instant"))
CUSTOMER = Column("customer_id", "id", required=True)


def _log(name: str, *columns: Column, key: tuple[str, ...] = (), once: bool = False, states: tuple[str, ...] = ()) -> Table:
    return Table(name, (CUSTOMER, *CLOCKS, *columns), key, once, states)


def _id(name: str, required: bool = False) -> Column:
    return Column(name, "id", required=required)


def _texts(*names: str, personal: bool = False) -> tuple[Column, ...]:
    return tuple(Column(name, "text", personal=personal) for name in names)


def _written(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "text", personal=True, written=True) for name in names)


def _number(name: str, low: float = -1e9, high: float = 1e9) -> Column:
    return Column(name, "number", low=low, high=high)


def _choice(name: str, *choices: str) -> Column:
    return Column(name, "choice", required=True, choices=choices)


WHILE_OPEN = (
    *("opened", "assigned", "replied", "waiting", "transferred", "escalated", "reopened"),
    *("asked", "answered", "approval_asked", "approval_given"),
)
"""Events of a ticket that somebody still has work with."""

MOST_HANDS = 1000
"""Hands of a ticket at most: a larger number is no ordinal within a ticket but somebody's number."""

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        _log(
            "customers",
            *_texts("name", personal=True),
            *_texts("segment", "industry", "country", "language", "plan"),
            *_texts("owner", personal=True),
            _id("parent_id"),
            # one state of a customer at one moment: two that differ cannot both be true
            key=("customer_id", "event_at", "known_at"),
            once=True,
        ),
        _log(
            "subscriptions",
            _id("subscription_id", required=True),
            _choice("event", "started", "changed", "renewed", "notice", "ended"),
            _id("product_id"),
            *_texts("plan"),
            _number("seats", 0, 1e6),
            _number("mrr", 0, 1e9),
            Column("renews_on", "instant"),
            Column("ends_on", "instant"),
            once=True,
            states=("started", "changed", "renewed"),
        ),
        _log(
            "usage",
            _id("user_id"),
            _choice("kind", "login", "use", "error"),
            *_texts("feature"),
            _number("quantity", 0, 1e9),
            _id("product_id"),
        ),
        _log(
            "tickets",
            _id("ticket_id", required=True),
            _choice("event", *WHILE_OPEN, "note", "resolved", "closed", "rated", "other"),
            *_texts("activity", "group", "category", "priority", "channel"),
            _id("product_id"),
            _number("score", -100, 100),
            *_written("subject", "body"),
            Column("hand", "number", low=1, high=MOST_HANDS, personal=True, apart=True),
            once=True,
        ),
        _log(
            "invoices",
            _id("invoice_id", required=True),
            _choice("event", "issued", "paid", "reminded", "credited", "voided"),
            _number("amount"),
            Column("due_on", "instant"),
            once=True,
            states=("issued",),
        ),
        _log("feedback", _choice("kind", "nps", "csat", "ces", "review"), _number("score", -100, 100), *_written("text")),
        _log("purchases", _id("order_id"), _id("product_id"), *_texts("family"), _number("quantity", -1e9, 1e9), _number("amount")),
        _log(
            "contacts",
            *_texts("channel"),
            _choice("direction", "in", "out"),
            _choice("kind", "call", "email", "meeting", "training", "campaign"),
            *_texts("campaign", "arm", "outcome"),
        ),
        # allowed is not required: a consent that cannot be read must stay, to count as a no
        _log("consents", *_texts("purpose"), Column("allowed", "flag"), once=True),
        Table(
            "products",
            (
                *CLOCKS,
                _id("product_id", required=True),
                *_texts("name", "family"),
                _number("price"),
                _number("usage_limit", 0, 1e9),
                _number("service_days", 0, 1e5),
                *_texts("features"),
            ),
            key=("product_id", "event_at", "known_at"),
            once=True,
        ),
        Table("releases", (*CLOCKS, _id("product_id"), *_texts("version")), once=True),
    )
}
"""The canonical tables by name; only ``customers`` is required, and it may be derived from the others."""

ACTIVITY = ("usage", "tickets", "purchases", "contacts", "feedback")
"""Tables whose rows show that a customer is there."""
