"""The tables of a report as a page shows them: KPIs beside their baseline, the ways of tickets, the longest waits, and the days by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from prevenance.publish.wording import is_known, one_line
from prevenance.support.facts import Facts
from prevenance.support.kpis import KPIS, Kpi
from prevenance.support.log import LIFE
from prevenance.support.parts import PARTS
from prevenance.support.pictures import bar_svg
from prevenance.support.teams import OTHERS
from prevenance.support.wording import event_name, hours_text, kpi_name, part_name, short_duration
from prevenance.words import DASH, Words

MOST_WAITS, LEAST_SHARE = 10, 0.005
"""Pairs of steps that are shown as waits, and the share of all time that one must have."""


def step_names(say: Words, facts: Facts) -> dict[str, str]:
    """Return what each step is called: the source's own word, or what its kind is called where there is none."""
    return {step: event_name(say, step) if step in LIFE else one_line(step, 60) for step in facts.nodes["step"]}


def kpi_rows(say: Words, facts: Facts) -> list[dict[str, str]]:
    """Return a row a KPI: the newest period, the baseline, the change with its interval, the target."""
    picked = {name: part.set_index("kpi") for name, part in facts.kpis.groupby("period") if name in ("now", "baseline")}
    found = []
    for one in KPIS:
        now, before = (picked[name].loc[one.name] if name in picked else None for name in ("now", "baseline"))
        if now is None:
            continue
        untold = one.name in facts.missing
        found.append(
            {
                "name": kpi_name(say, one.name),
                "now": say("cannot be told from this log") if untold else _value(say, now["value"], one),
                "range": _range(say, now, one),
                "before": "" if untold or before is None else _value(say, before["value"], one),
                "before_range": "" if before is None else _range(say, before, one),
                "change": "" if untold else _change(say, one, facts.changes.get(one.name)),
                "target": _value(say, now["target"], one) if is_known(now["target"]) else "",
                "met": {"yes": "✓ " + say("met"), "no": "✗ " + say("not met")}.get(str(now["met"]), ""),
                "tickets": "" if untold else say.number(now["tickets"]),
                "untold": "yes" if untold else "",
            }
        )
    return found


def _value(say: Words, value: float, one: Kpi) -> str:
    """Return the value of a KPI in its unit; working hours stay hours, for a day of them differs from team to team."""
    if not is_known(value):
        return DASH
    if one.unit == "share":
        return say.percent(value)
    if one.unit == "hours":
        return hours_text(say, value) if one.working else short_duration(say, value * 3600)
    return say.number(value, 1 if one.unit == "touches" else 2)


def _range(say: Words, row: Mapping[str, Any], one: Kpi) -> str:
    if not is_known(row["low"]) or not is_known(row["high"]):
        return ""
    return say("{low} to {high}", low=_value(say, row["low"], one), high=_value(say, row["high"], one))


def _change(say: Words, one: Kpi, change: tuple[float, float, float] | None) -> str:
    """Return whether a KPI moved more than chance may move it, and how far."""
    if change is None or not is_known(change[0]):
        return ""
    value, low, high = change
    if not is_known(low) or not is_known(high):
        return say("too few customers to tell")
    if low <= 0 <= high:
        return say("no clear change")
    sign = "+" if value > 0 else "−"
    size = say("{n} points", n=say.number(abs(value) * 100, 1)) if one.unit == "share" else _value(say, abs(value), one)
    better = (value > 0) == (one.better == "more")
    return f"{'▲' if value > 0 else '▼'} {sign}{size}, " + (say("better") if better else say("worse"))


def periods_sentence(say: Words, facts: Facts) -> str:
    """Return which periods are compared, and whether the season is the same."""
    now, before = facts.windows
    told = {"first": say.date(now.first), "last": say.date(now.last)}
    if before is None:
        return say("Tickets resolved from {first} to {last}. The log is too short for a baseline.", **told)
    told |= {"was": say.date(before.first), "till": say.date(before.last)}
    if facts.same_season:
        return say("Tickets resolved from {first} to {last}, beside those from {was} to {till}: the same season.", **told)
    return say(
        "Tickets resolved from {first} to {last}, beside those from {was} to {till}: another season, so part of a change may be the season's.",
        **told,
    )


def variant_rows(say: Words, facts: Facts, rated: bool) -> list[dict[str, str]]:
    """Return a row a variant, the commonest first, with the share of tickets that these ways cover so far."""
    names, total = step_names(say, facts), max(facts.counts.tickets, 1)
    most = int(facts.variants["tickets"].max()) if len(facts.variants) else 1
    return [
        {
            "number": say.number(one.variant),
            "way": " → ".join(names.get(step, step) for step in one.steps),
            "tickets": say.number(one.tickets),
            "share": say.percent(int(one.tickets) / total, 1),
            "covered": say.percent(one.covered),
            "bar": f"{120 * int(one.tickets) / most:.0f}",
            "median": short_duration(say, one.median_seconds),
            "csat": say.number(one.csat, 2) if rated else "",
        }
        for one in facts.variants.itertuples()
    ]


def ways_sentence(say: Words, facts: Facts) -> str:
    """Return how many ways there are, and how few of them cover most tickets."""
    return say(
        "{all} different ways for {tickets} tickets; the {few} commonest cover 80 % of them.",
        all=facts.variants_in_all,
        tickets=facts.counts.tickets,
        few=facts.variants_for_most,
    )


def wait_rows(say: Words, facts: Facts) -> list[dict[str, Any]]:
    """Return the pairs of steps between which most time was spent."""
    names = step_names(say, facts)
    return [
        {
            "way": f"{names.get(str(one.source), str(one.source))} → {names.get(str(one.target), str(one.target))}",
            "part": part_name(say, str(one.part)),
            "number": PARTS.index(str(one.part)),
            "times": say.number(one.times),
            "share": say.percent(one.share),
            "mean": short_duration(say, one.mean_seconds),
            "range": say("{low} to {high}", low=short_duration(say, max(one.low, 0)), high=short_duration(say, one.high))
            if is_known(one.low)
            else "",
            "median": short_duration(say, one.median_seconds),
            "working": hours_text(say, one.working_seconds / one.times / 3600),
        }
        for one in facts.waits.head(MOST_WAITS).itertuples()
        if one.share >= LEAST_SHARE
    ]


def group_tables(say: Words, facts: Facts, rated: bool) -> list[dict[str, Any]]:
    """Return title and rows of the tables by category, team and priority; what cannot be told apart has none."""
    titles = {"category": say("By category"), "team": say("By team"), "priority": say("By priority")}
    return [{"title": title, "rows": _group_rows(say, facts.groups[name], rated)} for name, title in titles.items() if name in facts.groups]


def _group_rows(say: Words, frame: pd.DataFrame, rated: bool) -> list[dict[str, str]]:
    most = float(frame["seconds"].max())
    found = []
    for one in frame.to_dict("records"):
        name = say("other teams") if one["name"] == OTHERS else one_line(one["name"], 60)
        found.append(
            {
                "name": name,
                "tickets": say.number(one["tickets"]),
                "svg": bar_svg(say, [one[part] for part in PARTS], name, width=420, height=18, most=most),
                "mean": short_duration(say, one["seconds"]),
                "median": short_duration(say, one["median_seconds"]),
                "working": hours_text(say, one["working_seconds"] / 3600),
                "csat": say.number(one["csat"], 2) if rated else "",
                "reopened": say.percent(one["reopened"], 1),
            }
        )
    return found
