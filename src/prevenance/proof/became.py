"""What the page of outcomes says: how many listings proved right, what was missed, who was right where the team went its own way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from prevenance.proof.page import Section, pairs_svg
from prevenance.publish.wording import is_known, one_line
from prevenance.words import DASH, Words


@dataclass(frozen=True)
class Became:
    """What became of the lists of one target: ``tally`` and ``team`` (see ``tally``), the same of ``replays``, and what is not known yet.

    ``maturity`` has a row an open list: cutoff, closes, listed, known (share of its outcomes that can be known today). ``left_out`` counts
    rows of people who were erased or have opted out since.
    """

    target: str
    title: str
    tally: pd.DataFrame
    team: pd.DataFrame
    replays: pd.DataFrame
    maturity: pd.DataFrame
    lists: int
    closed: int
    next_closes: datetime | None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> Mapping[str, object] | None:
        """Return the row of all closed lists, if there is one."""
        found = self.tally[self.tally["by"] == "all"].to_dict("records")
        return found[0] if found else None


def lead_sentences(say: Words, each: Sequence[Became]) -> list[str]:
    """Return what a page says first: for each target how many of those listed proved right, beside chance, or when that will be known."""
    found = []
    for one in each:
        whole = one.whole
        if whole is None:
            when = say("the first answer comes on {date}", date=say.date(one.next_closes)) if one.next_closes else say("no list is out yet")
            found.append(say("{title}: nobody knows yet, {when}.", title=say(one.title), when=when))
            continue
        held = "{title}: {hits} of {n} customers on the lists had the outcome (blind: {chance}); {missed} of the {outcomes} with the outcome were on no list."
        values = {name: whole[name] for name in ("hits", "missed", "outcomes")}
        chance = say.number(whole["expected_by_chance"], 1)
        found.append(say(held, title=say(one.title), n=whole["listed"], chance=chance, **values))
    return found


def note_sentences(say: Words, each: Sequence[Became]) -> list[str]:
    """Return what is to be known before the figures are believed."""
    found = [
        say("A customer counts once a month, on however many lists; of a single list every row counts. Intervals are 95 %, by customer; below 10 customers there is none."),
        say("Contacts may have kept outcomes away: how many, only a hold-out can tell. These figures say whom the lists named, not what contacts changed."),
    ]  # fmt: skip
    erased, opposed = (sum(one.left_out.get(name, 0) for one in each) for name in ("erased", "opted_out"))
    found += [say("{n} {n:row|rows} of erased customers {n:is|are} in no figure.", n=erased)] if erased else []
    found += [say("{n} {n:row|rows} of customers who have opted out since {n:is|are} in no figure.", n=opposed)] if opposed else []
    return found


def _figure_row(say: Words, name: str, row: Mapping[str, object], currency: str) -> tuple[str, ...]:
    between = DASH
    if is_known(row["low"]):
        between = f"{say.percent(row['low'])} – {say.percent(row['high'])}"
    counts = (say.number(row[key]) for key in ("listed", "outcomes", "hits", "missed", "too_late"))
    money = say.money(row["at_stake_hits"], currency)
    return (name, *counts, say.percent(row["proved_right"]), between, say.days(row["median_warning_days"]), money)


def _row_name(say: Words, by: str, row: Mapping[str, object]) -> str:
    """Return what a row is called: a list by its day as every other date of the page."""
    name = str(row["name"] or "")
    return say.date(datetime.fromisoformat(name)) if by == "list" and name else one_line(name or say("unknown"), 60)


def became_sections(say: Words, each: Sequence[Became], currency: str) -> list[Section]:
    """Return the parts of the page: of each target its lists, its groups, the team, what is not known yet and the replays."""
    found = list[Section]()
    counted = (say("On the lists"), say("Outcomes"), say("On a list"), say("Missed"), say("Too late"))
    head = (*counted, say("Proved right"), say("95 % interval"), say("Median warning"), say("At stake among hits"))
    by = {"list": say("List"), "month": say("Month"), "owner": say("Owner"), "segment": say("Segment"), "policy": say("Order")}
    for one in each:
        title, rows = say(one.title), one.tally.to_dict("records")
        for name, called in by.items():
            part = [row for row in rows if row["by"] == name]
            told = [_figure_row(say, _row_name(say, name, row), row, currency) for row in part]
            picture = _bars(say, part) if name == "month" else ""
            found.append(Section(f"{title} · {called}", head=(called, *head), rows=told, picture=picture))
        found += [_team(say, one, title), _maturity(say, one, title)]
        past = [_figure_row(say, _row_name(say, "list", row), row, currency) for row in one.replays.to_dict("records")]
        about = say("Lists that were never published, made again for a past date: they stand apart and are in no figure above.")
        found += [Section(f"{title} · {say('Replays')}", about, (say("List"), *head), past)] if past else []
    return [section for section in found if section.rows]


def _bars(say: Words, rows: Sequence[Mapping[str, object]]) -> str:
    told = "{name}: {hits} on a list, {missed} missed"
    bars = [
        (str(row["name"]), float(row["hits"]), float(row["missed"]), say(told, **{key: row[key] for key in ("name", "hits", "missed")}))  # type: ignore[arg-type]
        for row in rows
    ]
    return pairs_svg(say("Outcomes by month: on a list (filled) and missed"), bars)


def question_name(say: Words, question: str) -> str:
    """Return what the team decided, and what is counted as right."""
    names = {
        "wrong_alarm": say("Answered “wrong alarm”: nothing happened"),
        "too_late": say("Answered “too late”: it did happen"),
        "own_choice": say("Contacted though not on the list: the outcome came"),
        "left_undone": say("On the list, not contacted: the outcome came"),
    }
    return names[question]


def _team(say: Words, one: Became, title: str) -> Section:
    rows = []
    for row in one.team.to_dict("records"):
        between = f"{say.percent(row['low'])} – {say.percent(row['high'])}" if is_known(row["low"]) else DASH
        n, right = say.number(row["n"]), say.number(row["right"])
        rows.append((question_name(say, row["question"]), n, right, say.percent(row["share"]), between))
    about = say("Where the team went its own way, who was right? A contact may itself have kept the outcome away.")
    head = (say("The team's way"), say("Customers"), say("So it came"), say("Share of them"), say("95 % interval"))
    return Section(f"{title} · {say('The team against the model')}", about, head, rows)


def _maturity(say: Words, one: Became, title: str) -> Section:
    rows = [
        (say.date(row["cutoff"]), say.number(row["listed"]), say.date(row["closes"]), say.percent(row["known"]))
        for row in one.maturity.to_dict("records")
    ]
    about = say("These lists are in no figure yet: their time is not over.")
    head = (say("List"), say("On the lists"), say("Known for good on"), say("Share of its outcomes that is known today"))
    return Section(f"{title} · {say('Not known yet')}", about, head, rows)
