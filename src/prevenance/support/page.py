"""``report.html`` of the support report: one page, the bar of days first, then KPIs, trend, map, ways, waits and groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prevenance.publish.template import render_template
from prevenance.publish.wording import is_known
from prevenance.support import cards, chances, pictures
from prevenance.support.facts import Facts
from prevenance.support.kpis import PARTIAL
from prevenance.support.notes import beside_texts, lead_sentences, note_sentences
from prevenance.support.parts import PARTS
from prevenance.support.rows import group_tables, kpi_rows, periods_sentence, step_names, variant_rows, wait_rows, ways_sentence
from prevenance.support.wording import hours_text, kpi_name, long_duration, part_meaning, part_name
from prevenance.words import Words

COVERAGES = (0.5, 0.8, 0.95)
"""How much of what happens the maps of the page show; the middle one is shown first, and is ``map.svg``."""

SLOW = 0.1
"""Share of all time to resolve from which on an arrow of the map is marked."""


def report_page(say: Words, facts: Facts, stamp: Mapping[str, str], suggested: int = 0) -> str:
    """Return ``report.html``; ``stamp`` is the title of the source, the cutoff and the run, ``suggested`` how many customers could be told of known
    trouble. Every text of the data is escaped.
    """
    overall = facts.overall
    rated = is_known(overall["csat"])
    return render_template(
        "support.html.j2",
        style="support.css",
        say=say,
        language=say.language,
        stamp=stamp,
        lead=lead_sentences(say, facts),
        notes=note_sentences(say, facts),
        bars=_bars(say, facts),
        parts=_parts(say, facts),
        beside=beside_texts(say, facts),
        cards=cards.finding_cards(say, facts),
        findings=cards.findings_sentence(say, facts),
        untold=cards.untold_sentences(say, facts),
        wins=cards.win_rows(say, facts),
        promises=cards.promise_rows(say, facts),
        trouble=chances.trouble_texts(say, facts, suggested),
        candidates=chances.candidate_texts(say, facts),
        journey=chances.journey_texts(say, facts),
        kpis=kpi_rows(say, facts),
        periods=periods_sentence(say, facts),
        trends=_trends(say, facts),
        maps=[(round(100 * share), map_picture(say, facts, share)) for share in COVERAGES],
        variants=variant_rows(say, facts, rated),
        ways=ways_sentence(say, facts),
        waits=wait_rows(say, facts),
        groups=group_tables(say, facts, rated),
        dots=_dots(say, facts),
        rated=rated,
        meanings=[(part_name(say, part), part_meaning(say, part)) for part in PARTS],
    )


def map_picture(say: Words, facts: Facts, coverage: float = COVERAGES[1]) -> str:
    """Return the process map with so much of what happens."""
    shown = pictures.shown_edges(facts.edges, facts.nodes, coverage, least(facts))
    slow = set(facts.waits.loc[facts.waits["share"] >= SLOW, ["source", "target"]].itertuples(index=False, name=None))
    return pictures.map_svg(say, shown, facts.nodes, slow, step_names(say, facts))


def least(facts: Facts) -> int:
    """Return how often an arrow must have been taken to be drawn; fewer in a log of few tickets."""
    return min(facts.asked.least_tickets, max(facts.counts.tickets // 50, 1))


def _bars(say: Words, facts: Facts) -> list[dict[str, str]]:
    titles = (
        ("seconds", say("Days of a ticket by the calendar"), long_duration(say, facts.overall["mean"])),
        ("working_seconds", say("The same in working hours"), hours_text(say, facts.overall["working_mean"] / 3600)),
    )
    found = [(title, told, pictures.bar_svg(say, list(facts.parts[column]), title)) for column, title, told in titles]
    return [{"title": title, "told": told, "svg": svg} for title, told, svg in found if svg]


def _parts(say: Words, facts: Facts) -> list[dict[str, Any]]:
    """Return a row a part that any ticket has time in."""
    total, n = float(facts.parts["seconds"].sum()) or 1.0, max(facts.overall["tickets"], 1)
    return [
        {
            "number": PARTS.index(str(one.part)),
            "name": part_name(say, str(one.part)),
            "mean": long_duration(say, float(one.seconds)),
            "share": say.percent(float(one.seconds) / total),
            "working": hours_text(say, float(one.working_seconds) / 3600),
            "tickets": say.percent(int(one.tickets) / n),
        }
        for one in facts.parts.itertuples()
        if one.tickets
    ]


def _trends(say: Words, facts: Facts) -> list[dict[str, str]]:
    found = []
    for period, title in (("month", say("By month")), ("week", say("By week"))):
        for name in ("resolve_median", "resolve_median_working", "csat"):
            rows = facts.kpis[(facts.kpis["period"] == period) & (facts.kpis["kpi"] == name)]
            rows = rows[rows["note"] != PARTIAL].tail(60).reset_index(drop=True)
            unit = kpi_name(say, name) + ("" if name == "csat" else f" ({say('hours')})")
            if svg := pictures.trend_svg(say, rows, f"{unit} · {title}"):
                found.append({"period": period, "title": title, "name": unit, "svg": svg})
    return found


def _dots(say: Words, facts: Facts) -> dict[str, str]:
    if facts.dots.empty:
        return {}
    lines = int(facts.dots["row"].max()) + 1
    label = say(
        "{n} tickets, one line each, from {first} to {last}", n=lines, first=say.date(facts.dots_from), last=say.date(facts.asked.cutoff)
    )
    return {"svg": pictures.dotted_svg(say, facts.dots, label), "label": label}
