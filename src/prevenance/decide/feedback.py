"""What customer-success managers answered to a list: contacted, snooze, wrong alarm, too late, and what they took back.

The page downloads a CSV; it is read strictly, a whole file or nothing, and kept below ``<out>/feedback/``. Free text stays in that file.

When an answer counts: for a feed that goes on, from the moment it was given (never before the list it answers). An export does not move
on while people work with it, so there an answer counts from the cutoff of the list it was given on. Either way the next list honours it,
lists of earlier dates do not see it, and the same file gives the same bytes.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from operator import attrgetter
from pathlib import Path
from sys import intern

from prevenance.base import disk
from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import FORMULA_STARTS
from prevenance.decide.saved import ids_without_zeros, plain_day, plain_moment, text_and_separator

ACTIONS = ("contacted", "snooze", "wrong_alarm", "too_late", "approved", "undo")
"""What may be decided; ``approved`` goes with the proposal before anybody was contacted, and changes no list; ``undo`` takes answers back."""

TAKEN_BY = "user "
"""Before the hash of who took a file, where an answer of it does not say whose it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, as text: ``at`` in UTC, ``until`` a date (of a snooze), ``contacted_on`` of a contact;

    ``score`` (the chance) and, where the file says nothing, ``play`` are those of the list, added when it is taken.
    """

    target: str
    customer_id: str
    product_id: str
    run_id: str
    cutoff: str
    action: str
    at: str
    until: str
    channel: str
    outcome: str
    reason: str
    by: str
    score: str = ""
    play: str = ""
    contacted_on: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Return what makes two answers the same: all but the score, the play of the list, and who took the file where it names nobody."""
        *found, by, _, _, contacted_on = answer_cells(self)
        return (*found, contacted_on, "" if by.startswith(TAKEN_BY) else by)

    def contacted_at(self, *, static: bool) -> datetime:
        """Return when a contact happened, naive UTC: noon (UTC) of the day that the answer names, that day in any zone; never after it is known."""
        known, on = self.known_at(static=static), self.contacted_on
        return min(known, datetime.fromisoformat(on) + timedelta(hours=12)) if on else known

    def known_at(self, *, static: bool) -> datetime:
        """Return from when on the answer counts, naive UTC: see the module."""
        listed = utc_moment(self.cutoff)
        return listed if static else max(utc_moment(self.at), listed)


COLUMNS = tuple(one.name for one in fields(Answer))[:-3]
MAY = ("contacted_on", "play")
"""Columns of the downloaded file, and those it may have besides (files of before do not); further ones are ignored."""
OTHER_PLAY = "other"  # what a file says of a contact that did something else than the row proposed

YEARS = range(1970, 2200)  # of instants and dates: what is counted on from there stays a date
answer_cells: Callable[[Answer], tuple[str, ...]] = attrgetter(*COLUMNS, "score", "play", "contacted_on")


def utc_moment(text: str) -> datetime:
    """Return an ISO instant with a zone as naive UTC; ``ValueError`` if it is none, or beyond ``YEARS``."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or found.year not in YEARS:
        raise ValueError(f"{text!r} has no zone, or no year that can be")
    return found.astimezone(UTC).replace(tzinfo=None)


def read_answers(content: bytes, name: str, zone: str = "UTC") -> list[tuple[int, Answer]]:
    """Return the answers of a downloaded file with the lines they end on; what a spreadsheet made of it is understood (``zone``: of its times).

    Raises:
        PrevenanceError: E301 a column is missing, E303 no readable CSV, E308 a row that does not fit (the first is named).
    """
    try:
        text, separator = text_and_separator(content)
    except UnicodeDecodeError as problem:
        raise PrevenanceError("E303", "not UTF-8", first=f"{name}:1", fix="save it as CSV in UTF-8") from problem
    rows = _rows(text, name, separator)
    _, header = next(rows, (1, []))
    if missing := [column for column in COLUMNS if column not in header]:
        raise PrevenanceError("E301", f"no column {missing[0]}", first=f"{name}:1", fix="give the file as the page downloads it")
    found, wrong = [], []
    for line, cells in rows:
        if not any(cells):  # spreadsheets like to end a file with empty rows
            continue
        if len(cells) != len(header):
            wrong.append((line, f"{len(cells)} cells, not {len(header)}"))
            continue
        cell = dict(zip(header, cells, strict=True))
        given = {one: cell[one] if one.endswith("_id") else cell[one].strip() for one in (*COLUMNS, *MAY) if one in cell}
        given |= {one: plain_day(given[one]) for one in ("until", "contacted_on") if one in given}
        given["at"] = plain_moment(given["at"], zone)
        answer = Answer(**{one: intern(text) for one, text in given.items()})
        if trouble := _trouble(answer):
            wrong.append((line, trouble))
        found.append((line, answer))
    refuse_rows(wrong, name)
    return found


def refuse_rows(wrong: Sequence[tuple[int, str]], name: str) -> None:
    """Raise E308 for rows that do not fit, naming the first: ``wrong`` holds lines and what is wrong."""
    if wrong:
        fix = "correct the row or remove it; nothing of the file was taken"
        raise PrevenanceError("E308", wrong[0][1], rows=len(wrong), first=f"{name}:{wrong[0][0]}", fix=fix)


def _rows(text: str, name: str, separator: str = ",") -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        yield from ((reader.line_num, cells) for cells in reader)
    except csv.Error as problem:
        raise PrevenanceError("E303", f"not a CSV: {problem}", first=f"{name}:{reader.line_num}", fix="download it again") from problem


def _trouble(answer: Answer) -> str:
    """Return what is wrong with an answer by itself, without any personal value; empty if nothing."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", answer.target):
        return "the target is no name"
    if not re.fullmatch(r"[0-9a-f]{12,64}", answer.run_id):
        return "run_id is not that of a list"
    if answer.action not in ACTIONS:
        return f'the action "{answer.action[:30]}" is none of {", ".join(ACTIONS)}'
    for column in ("cutoff", "at"):
        try:
            utc_moment(getattr(answer, column))
        except ValueError:
            return f'{column} is no instant in UTC ("{getattr(answer, column)[:30]}")'
    if answer.play and not re.fullmatch(r"[\w .-]{1,80}", answer.play):
        return "play is not the name of one"
    if answer.action == "contacted" and answer.contacted_on:
        return _day_trouble(answer)
    if answer.action != "snooze":
        return ""
    try:
        until = date.fromisoformat(answer.until)
    except ValueError:
        return f'until is no date ("{answer.until[:30]}")'
    if until.year not in YEARS:
        return f"until lies beyond {YEARS[-1]}"
    return "" if until > utc_moment(answer.cutoff).date() else f"until is {until}, not after the list"


def _day_trouble(answer: Answer) -> str:
    """Return what is wrong with the day of a contact: none at all, or one after the answer (a day's grace: zones differ)."""
    try:
        day = date.fromisoformat(answer.contacted_on)
    except ValueError:
        return f'contacted_on is no date ("{answer.contacted_on[:30]}")'
    at = utc_moment(answer.at).date()
    return "" if day.year in YEARS and day <= at + timedelta(days=1) else f"contacted_on is {day}, after the answer"


def match_answers(
    answers: Sequence[tuple[int, Answer]], lists: Mapping[tuple[str, str, str], Mapping[tuple[str, str], float | None]], name: str
) -> list[Answer]:
    """Return the answers with the ids as they stand in their lists, and the chance on it.

    ``lists``: (target, run_id, cutoff) -> (customer_id, product_id or empty) -> chance. An id that a spreadsheet changed is found again.

    Raises:
        PrevenanceError: E308 for a list or a customer that is not there.
    """
    found, wrong = [], []
    zeros = {key: ids_without_zeros(customer for customer, _ in listed) for key, listed in lists.items()}
    for line, answer in answers:
        listed = lists.get((answer.target, answer.run_id, answer.cutoff))
        if listed is None:
            wrong.append((line, f"there is no published list of {answer.target} with this run_id and cutoff"))
            continue
        full = zeros[answer.target, answer.run_id, answer.cutoff].get(answer.customer_id, "")
        ids = [(customer, product) for customer in (*_spelt(answer.customer_id), full) for product in _spelt(answer.product_id)]
        there = next((one for one in ids if one in listed), None)
        if there is None:
            wrong.append((line, "the customer is not on that list"))
            continue
        score = listed[there]
        kept = {column: _spelt(getattr(answer, column))[-1] for column in ("channel", "outcome", "reason", "by")}
        kept |= {"customer_id": there[0], "product_id": there[1], "until": answer.until if answer.action == "snooze" else ""}
        kept |= dict.fromkeys(MAY, "") if answer.action != "contacted" else {}
        found.append(replace(answer, **kept, score="" if score is None else repr(score)))
    refuse_rows(wrong, name)
    return found


def _spelt(text: str) -> list[str]:
    """Return a cell as it stands, then without the apostrophe that keeps a spreadsheet from reading a formula."""
    return [text, text[1:]] if text.startswith("'") and text[1:].startswith(FORMULA_STARTS) else [text]


def load_answers(out: Path, target: str) -> list[Answer]:
    """Return what was taken for one target, in the order it was taken; nothing if there is no file.

    Raises:
        PrevenanceError: E303 if the file is not as it was written.
    """
    path = out / "feedback" / f"{target}.csv"
    if not path.is_file():
        return []
    try:
        rows = _rows(path.read_bytes().decode("utf-8-sig"), path.name)
        next(rows, None)
        return [Answer(*(intern(cell.removeprefix("'")) for cell in cells)) for _, cells in rows]
    except (TypeError, UnicodeDecodeError) as problem:
        raise PrevenanceError("E303", "not as it was written", path=path, fix="restore the file, or move it away") from problem


def append_answers(out: Path, target: str, answers: Sequence[Answer]) -> int:
    """Add answers to the file of one target, each once, in one step; return how many were new."""
    held = load_answers(out, target)
    known = {answer.key for answer in held}
    new = [answer for answer in dict.fromkeys(answers) if answer.key not in known]
    if new:
        write_answers(out, target, [*held, *new])
    return len(new)


def write_answers(out: Path, target: str, answers: Sequence[Answer]) -> None:
    """Write the file of one target in one step, with these answers and no others."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([*COLUMNS, "score", "play", "contacted_on"])
    writer.writerows([_guarded(cell) for cell in answer_cells(answer)] for answer in answers)
    disk.write(out / "feedback" / f"{target}.csv", written.getvalue().encode("utf-8", errors="replace"))


def _guarded(text: str) -> str:
    """Return a cell that is no formula and reads back as it was: one apostrophe goes before what begins like one or like a formula."""
    return "'" + text if text.startswith(("'", *FORMULA_STARTS)) else text
