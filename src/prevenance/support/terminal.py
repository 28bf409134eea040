"""What ``make support`` prints: the bar of days in words, the KPIs, the findings, known trouble, and what cannot be told."""

from __future__ import annotations

from pathlib import Path

from prevenance.support.cards import finding_cards, findings_sentence, untold_sentences
from prevenance.support.chances import trouble_texts
from prevenance.support.facts import Facts
from prevenance.support.notes import lead_sentences, note_sentences
from prevenance.support.wording import kpi_name, long_duration, part_name
from prevenance.words import words

FILES = ("report.html", "findings.json", "suggestions.csv", "kpis.csv", "map.csv", "variants.csv", "paths.parquet", "map.svg")
SHOWN = ("resolve_median", "resolve_median_working", "first_reply_median", "first_contact", "reopened", "touches", "csat")


def report_text(facts: Facts, folder: Path, suggested: int = 0) -> str:
    """Return what a person reads in a minute, in English as all commands print; ``suggested`` is how many customers could be told of known trouble."""
    say, one = words("en", facts.asked.zone), facts.overall
    lines = [f"SUPPORT   {facts.counts.tickets:,} tickets, {facts.counts.resolved:,} resolved. {' '.join(lead_sentences(say, facts))}"]
    for row in facts.parts.to_dict("records"):
        if row["tickets"]:
            share = say.percent(row["seconds"] / one["mean"] if one["mean"] else 0.0)
            lines.append(f"          {part_name(say, row['part']):<28}{long_duration(say, row['seconds']):>14}{share:>8}")
    now = facts.kpis[facts.kpis["period"] == "now"].set_index("kpi")
    for name in SHOWN:
        if name not in facts.missing:
            value, unit = now.loc[name, "value"], now.loc[name, "unit"]
            told = say.percent(value, 1) if unit == "share" else say.number(value, 1) + (" h" if unit == "hours" else "")
            lines.append(f"KPI       {kpi_name(say, name):<42}{told:>10}")
    lines += [f"FINDING   {one['title']}. {one['often']} {one['cost']}" for one in finding_cards(say, facts)]
    lines.append(f"FINDINGS  {findings_sentence(say, facts)}")
    lines += [f"TROUBLE   {text}" for text in trouble_texts(say, facts, suggested)]
    lines += [f"LOG       {text}" for text in (*note_sentences(say, facts), *untold_sentences(say, facts))]
    return "\n".join([*lines, f"FILES     {folder}/  {'  '.join(FILES)}"])
