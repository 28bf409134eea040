"""Every error a user can meet: a code, an exit status, what happened, where, and how to fix it.

The first digit of a code is the exit status (``E301`` ends the process with 3), so a scheduler can tell
a late feed from a wrong setting without reading text.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

STATUS = {
    1: "our own bug",
    2: "usage or configuration",
    3: "the input breaks the contract",
    4: "a feed is missing or stale",
    5: "the model is missing or invalid",
    6: "a quality gate refused",
    7: "another run holds the lock",
    8: "disk or input/output",
    9: "a privacy rule",
}

CODES = {
    "E201": "a setting that does not exist",
    "E202": "a setting with a value of the wrong kind",
    "E203": "an unknown source, target, model or other choice",
    "E204": "a setting that would run code",
    "E205": "the output folder belongs to another source",
    "E206": "timestamps without a zone",
    "E207": "an unknown time zone",
    "E208": "as_of lies in the future or is not a date",
    "E209": "a name or path that could reach outside",
    "E210": "a definition that names what does not exist",
    "E211": "a secret in a setting",
    "E301": "a column is missing",
    "E302": "too many rows break the contract",
    "E303": "the file is not readable as declared",
    "E304": "a required table is empty",
    "E305": "no customers",
    "E306": "a select does not run",
    "E307": "a label that is not 0 or 1, or the same in every row",
    "E308": "a row of feedback that does not fit",
    "E309": "the audit log is not as it was written",
    "E310": "an input changed during the run",
    "E401": "a file or table is missing",
    "E402": "a database does not answer",
    "E403": "a feed is older than its limit",
    "E404": "a table is a part of itself",
    "E405": "advisories on libraries do not answer",
    "E501": "no champion is registered",
    "E502": "a model file is not what was registered",
    "E503": "the champion knows more than as_of allows",
    "E504": "the champion wants other inputs",
    "E505": "the key that signs models is not to be had",
    "E601": "no closed label window",
    "E602": "a feature looks like a leak",
    "E603": "a finished list does not add up",
    "E604": "a locked library was not audited",
    "E605": "a locked library has a known weakness",
    "E701": "another run holds the lock",
    "E801": "the output cannot be written",
    "E802": "memory or work space does not suffice",
    "E901": "purpose, legal basis, controller or consent is not recorded",
    "E902": "a personal column may not be used",
    "E903": "the customer has opted out",
    "E904": "an erasure is not whole",
    "E905": "the key of pseudonyms or of the erased is not to be had",
    "E906": "a row that no person has decided on may not leave",
}


class PrevenanceError(Exception):
    """An error for a person: one line with what, which value, where and how to fix it."""

    def __init__(self, code: str, what: str, *, fix: str, **where: object) -> None:
        """Build the error.

        Args:
            code: one of ``CODES``; its first digit is the exit status.
            what: what happened, with the value that was met (never a personal one).
            fix: what to do next, in the imperative; taken literally it makes the run pass.
            where: places such as ``table=``, ``column=``, ``rows=``, ``first=``, ``path=``; ``None`` is left out.
        """
        self.code, self.what, self.fix = code, what, fix
        self.where = {key: value for key, value in where.items() if value is not None}
        super().__init__(self.line())

    @property
    def exit_status(self) -> int:
        """Return the exit status that belongs to the code."""
        return int(self.code[1])

    def line(self) -> str:
        """Return the one line for standard error."""
        place = "".join(f" {key}={value}" for key, value in self.where.items())
        end = "" if self.what.endswith("?") else "."
        text = f"ERROR {self.code}{place} — {self.what}{end} FIX: {self.fix}"
        return " ".join(text.split())


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return ``did you mean "x"?`` for the closest of ``names``, or the list of what exists.

    >>> did_you_mean("tikets", ["tickets", "usage"])
    'did you mean "tickets"?'
    >>> did_you_mean("zzz", ["usage", "tickets"])
    'choose one of: tickets, usage'
    """
    known = sorted(names)
    lower = {known_name.lower(): known_name for known_name in reversed(known)}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f'did you mean "{lower[close[0]]}"?' if close else "choose one of: " + ", ".join(known)
