"""A model in the shadow beside the champion: how far they agree, and whether the criteria that were written down before are met."""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from prevenance.judge.bootstrap import Estimate

MET, NOT_MET, TOO_EARLY = "met", "not_met", "too_early"


@dataclass(frozen=True)
class Criteria:
    """What is asked of a shadow before it begins: over so many ``weeks`` from its first list, at least so many closed ``lists``, and so many
    more ``hits`` than the champion."""

    weeks: int
    lists: int
    hits: int


@dataclass(frozen=True)
class Pilot:
    """The verdict with its figures: lists compared and closed, how many customers stand on both (``same`` of ``listed``), hits of each, and how much
    smaller the shadow's log loss is (90 %)."""

    kind: str
    lists: int
    closed: int
    listed: int
    same: int
    hits_champion: int
    hits_shadow: int
    gain: Estimate


def within_pilot(pairs: pd.DataFrame, criteria: Criteria) -> pd.DataFrame:
    """Return the pairs of lists whose cutoff lies within the weeks from the first one on; later lists can change no verdict."""
    if pairs.empty:
        return pairs
    return pairs[pairs["cutoff"] <= pairs["cutoff"].min() + timedelta(weeks=criteria.weeks)].reset_index(drop=True)


def pilot_verdict(pairs: pd.DataFrame, gain: Estimate, criteria: Criteria) -> Pilot:
    """Return the verdict on pairs of lists (cutoff, listed, same, hits_champion, hits_shadow; hits are null while open).

    Too early while fewer lists than asked have closed; met where the hits are as many more and the log loss is surely smaller.
    """
    closed = pairs[pairs["hits_shadow"].notna()]
    ours, theirs = (int(closed[name].sum()) for name in ("hits_shadow", "hits_champion"))
    better = ours - theirs >= criteria.hits and gain["low"] is not None and gain["low"] > 0
    kind = TOO_EARLY if len(closed) < criteria.lists else MET if better else NOT_MET
    return Pilot(kind, len(pairs), len(closed), int(pairs["listed"].sum()), int(pairs["same"].sum()), theirs, ours, gain)
