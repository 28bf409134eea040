"""What the watch says of a night: its warnings, and the code they refuse with where the settings ask for that."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Warned:
    """A warning of the watch: its ``kind``, what it is ``about`` (a table, a segment, an input, a target) and its figures.

    Kinds of events: dried, doubled, segment (of a table), gone (a segment of customers); of a target: total, shape, inputs, words, rate.
    """

    kind: str
    about: str
    facts: Mapping[str, float | str | None] = field(default_factory=dict, hash=False)
