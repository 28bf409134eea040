"""What the watch says of a night: its warnings, and the code they refuse with where the settings ask for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Named = tuple[str, int | None]
"""How an input is told: its phrase, and the days that fill it."""


@dataclass(frozen=True)
class Warned:
    """A warning of the watch: its ``kind``, what it is ``about`` (a table, a segment, an input, a target) and its figures.

    Kinds of events: dried, doubled, segment (of a table), gone (a segment of customers); of a target: total, shape, inputs, words, rate.
    ``inputs`` are those that it names, as reasons say them.
    """

    kind: str
    about: str
    facts: Mapping[str, float | str | None] = field(default_factory=dict, hash=False)
    inputs: Sequence[Named] = ()
