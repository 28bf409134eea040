"""The settings of nights: those to make up for, and what the watch may refuse."""

from dataclasses import dataclass

SHADOW = "shadow"
"""Folder below the output folder in which a shadow trains and scores."""


@dataclass
class NightSettings:
    """The nights to make up for: bare dates in the source's time zone, both included."""

    first: str | None = None  # from=: the first night, a bare date
    last: str | None = None  # to=: the last night, included


@dataclass
class WatchSettings:
    """What the watch does besides telling."""

    block: bool = False


@dataclass
class PilotSettings:
    """What a model in the shadow must show; each key is told in conf/pilot/default.yaml."""

    weeks: int = 8
    lists: int = 2
    hits: int = 1
