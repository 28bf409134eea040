"""Every error a user can meet: a code, an exit status, what happened, where, and how to fix it.

The first digit of a code is the exit status (``E301`` ends the process with 3), so a scheduler can tell
a late feed from a wrong setting without reading text.
"""

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


class PrevenanceError(Exception):
    """An error for a person: one line with what, which value, where and how to fix it."""

    def __init__(self, code: str, what: str, *, fix: str, **where: object) -> None:
        """Build the error.

        Args:
            code: one of those in ``docs/errors.md``; its first digit is the exit status.
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
        # one line whatever a value held: a log is read line by line
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
    # reversed, so that of names that differ by case the first in order wins
    lower = {known_name.lower(): known_name for known_name in reversed(known)}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6)
    return f'did you mean "{lower[close[0]]}"?' if close else "choose one of: " + ", ".join(known)
