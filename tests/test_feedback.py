"""What the team answered: read strictly, kept once, counting from the right moment."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prevenance.base.errors import PrevenanceError
from prevenance.base.formats import csv_bytes
from prevenance.decide import feedback
from prevenance.decide.answered import customer_answers, standing_answers
from prevenance.decide.feedback import COLUMNS, Answer
from prevenance.decide.weeks import known_answers

CUTOFF, RUN = "2026-10-01T00:00:00Z", "0123456789abcdef"
USUAL = {"target": "churn", "customer_id": "c1", "run_id": RUN, "cutoff": CUTOFF, "action": "contacted", "at": "2026-10-02T09:00:00Z"}
LISTS = {("churn", RUN, CUTOFF): {("c1", ""): 0.25, ("=1+1", ""): 0.5, ("'=odd", ""): None, ("c2", "p"): 0.1}}


def file(*rows: dict, columns: tuple[str, ...] = COLUMNS) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore")
    writer.writeheader()
    writer.writerows([USUAL | row for row in rows])
    return text.getvalue().encode()


def taken(*rows: dict) -> list[Answer]:
    return feedback.match_answers(feedback.read_answers(file(*rows), "f.csv"), LISTS, "f.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"action": "called"}, 'E308 rows=1 first=f.csv:3 — the action "called" is none of contacted, snooze'),
        ({"action": "snooze"}, 'until is no date \\(""\\)'),
        ({"action": "snooze", "until": "31/12/2026"}, "until is no date"),
        ({"action": "snooze", "until": "2026-10-01"}, "until is 2026-10-01, not after the list"),
        ({"at": "yesterday"}, "at is no instant in UTC"),
        ({"at": "2026-10-02T09:00:00"}, "at is no instant in UTC"),
        ({"cutoff": ""}, "cutoff is no instant"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at is no instant in UTC"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "at is no instant in UTC"),
        ({"cutoff": "9999-12-31T00:00:00Z"}, "cutoff is no instant"),
        ({"action": "snooze", "until": "9999-12-31"}, "until lies beyond 2199"),
        ({"target": "../x"}, "the target is no name"),
        ({"run_id": "../../etc"}, "run_id is not that of a list"),
        ({"customer_id": "nobody"}, "the customer is not on that list"),
        ({"customer_id": "c2"}, "the customer is not on that list"),
        ({"run_id": "f" * 16}, "no published list of churn"),
        ({"cutoff": "2026-10-02T00:00:00Z"}, "no published list of churn"),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_line(row: dict, message: str) -> None:
    with pytest.raises(PrevenanceError, match=message) as caught:
        taken({}, row, {})
    assert "first=f.csv:3" in str(caught.value)
    assert caught.value.exit_status == 3


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "E301 first=f.csv:1 — no column target"),
        (file({}).replace(b"reason", b"grund"), "no column reason"),
        (b"\x81\x8d", "E303 first=f.csv:1 — not UTF-8"),
        (b"\xff\xfe\x00", "E303 first=f.csv:1 — not UTF-8"),
        (file({}) + b"churn,c1\r\n", "E308 rows=1 first=f.csv:3 — 2 cells, not 12"),
        (file({}) + b'"churn', "E303 first=f.csv:"),
    ],
)
def test_a_file_that_is_not_the_page_s_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(PrevenanceError, match=message):
        feedback.read_answers(content, "f.csv")


@pytest.mark.parametrize(("separator", "alphabet"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "cp1252"), (";", "cp1252")])
def test_a_file_that_a_spreadsheet_saved_is_understood(separator: str, alphabet: str) -> None:
    row = {"customer_id": "25", "action": "snooze", "at": "02.10.2026 11:00", "until": "1.12.2026", "reason": "später"}
    saved = file(row).decode().replace(",", separator).encode(alphabet)
    (read,) = feedback.read_answers(saved, "f.csv", "Europe/Berlin")
    lists = {("churn", RUN, CUTOFF): {("00025", ""): 0.25, ("0125", ""): 0.5}}
    (found,) = feedback.match_answers([read], lists, "f.csv")
    assert (found.customer_id, found.at, found.until, found.reason) == ("00025", "2026-10-02T09:00:00Z", "2026-12-01", "später")
    with pytest.raises(PrevenanceError, match="not on that list"):  # two customers it could be
        feedback.match_answers([read], {("churn", RUN, CUTOFF): {("00025", ""): 0.25, ("025", ""): 0.5}}, "f.csv")


@pytest.mark.parametrize("at", ["02.13.2026 11:00", "10/02/2026 11:00", "02.10.26 11:00", "02.10.2026"])
def test_a_time_that_could_mean_two_is_refused(at: str) -> None:
    with pytest.raises(PrevenanceError, match="at is no instant in UTC"):
        taken({"at": at})


def test_no_personal_text_is_in_a_message() -> None:
    with pytest.raises(PrevenanceError) as caught:
        taken({"customer_id": "secret-id", "reason": "private words", "by": "Jane Doe"})
    assert not any(word in str(caught.value) for word in ("secret", "private", "Jane"))


def test_ids_that_a_spreadsheet_would_take_for_formulas_are_found_again() -> None:
    given = ["=1+1", "'=1+1", "'=odd", "c1"]
    assert [one.customer_id for one in taken(*({"customer_id": name} for name in given))] == ["=1+1", "=1+1", "'=odd", "c1"]
    row = dict.fromkeys(COLUMNS, "") | USUAL | {"customer_id": "=1+1", "reason": "@a"}
    safe = csv_bytes(pd.DataFrame([row])[list(COLUMNS)])
    (found,) = feedback.match_answers(feedback.read_answers(b"\xef\xbb\xbf" + safe + b"\r\n", "f.csv"), LISTS, "f.csv")
    assert (found.customer_id, found.reason, found.score) == ("=1+1", "@a", "0.5")
    assert taken({"customer_id": "c2", "product_id": "p"})[0].score == "0.1"


def test_the_same_answer_counts_once(tmp_path: Path) -> None:
    first = taken({}, {}, {"customer_id": "=1+1"})
    assert feedback.append_answers(tmp_path, "churn", first) == 2
    content = (tmp_path / "feedback" / "churn.csv").read_bytes()
    assert feedback.append_answers(tmp_path, "churn", first) == 0
    assert feedback.append_answers(tmp_path, "churn", taken({"at": "2026-10-03T09:00:00Z"})) == 1
    assert (tmp_path / "feedback" / "churn.csv").read_bytes().startswith(content)
    assert (tmp_path / "feedback" / "churn.csv").stat().st_mode & 0o777 == 0o600
    assert b",=1+1" not in content
    assert len(feedback.load_answers(tmp_path, "churn")) == 3
    assert feedback.load_answers(tmp_path, "tickets") == []
    (tmp_path / "feedback" / "churn.csv").write_bytes(content + b"a,b\r\n")
    with pytest.raises(PrevenanceError, match="not as it was written"):
        feedback.load_answers(tmp_path, "churn")


@settings(deadline=None)
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=8), min_size=12, max_size=12))
def test_what_is_kept_reads_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, cells: list[str]) -> None:
    out, answer = tmp_path_factory.mktemp("out"), Answer(*cells)
    feedback.append_answers(out, "churn", [answer])
    assert feedback.load_answers(out, "churn") == [answer]


# -- from when an answer counts


def answer(**row: str) -> Answer:
    return Answer(**(dict.fromkeys(COLUMNS, "") | USUAL | row))


LISTED, GIVEN = datetime(2026, 10, 1), datetime(2026, 10, 2, 9)


@pytest.mark.parametrize(("static", "since"), [(True, LISTED), (False, GIVEN)])
def test_an_export_honours_an_answer_from_the_list_it_was_given_on_and_a_feed_from_its_moment(static: bool, since: datetime) -> None:
    one = answer()
    assert one.known_at(static=static) == since
    asked = {"static": static, "zone": "UTC", "horizon_days": 30, "wrong_alarm_days": 60}
    assert customer_answers([one], since - timedelta(seconds=1), **asked).empty, "no earlier list sees it"
    assert customer_answers([one], since, **asked)["contacted_at"].tolist() == [pd.Timestamp(since)]
    assert answer(at="2026-09-01T00:00:00Z").known_at(static=False) == LISTED, "never before the list it answers"


@pytest.mark.parametrize(
    ("on", "message"),
    [
        ("31/12/2026", 'contacted_on is no date \\("31/12/2026"\\)'),
        ("2026-10-04", "contacted_on is 2026-10-04, after the answer"),
        ("0001-01-01", "contacted_on is 0001-01-01"),
        ("yesterday", "contacted_on is no date"),
    ],
)
def test_a_day_of_contact_that_cannot_be_is_refused(on: str, message: str) -> None:
    content = file({}, {"contacted_on": on}, columns=(*COLUMNS, "contacted_on"))
    with pytest.raises(PrevenanceError, match=message):
        feedback.read_answers(content, "f.csv")


def test_a_contact_counts_from_its_day_once_it_is_known(tmp_path: Path) -> None:
    content = file({"contacted_on": "2026-09-20", "play": "other"}, columns=(*COLUMNS, "contacted_on", "play"))
    (one,) = feedback.match_answers(feedback.read_answers(content, "f.csv"), LISTS, "f.csv")
    assert (one.contacted_on, one.play) == ("2026-09-20", "other")
    asked = {"static": False, "zone": "UTC", "horizon_days": 30, "wrong_alarm_days": 60}
    assert customer_answers([one], GIVEN - timedelta(seconds=1), **asked).empty, "nobody knew of it before it was told"
    told = customer_answers([answer(at="2026-10-01T06:00:00Z"), one], GIVEN, **asked)["contacted_at"]
    assert told.tolist() == [pd.Timestamp("2026-10-01T06:00")], "an older contact that is told later is not the newest"
    assert customer_answers([one], GIVEN, **asked)["contacted_at"].dt.date.astype(str).tolist() == ["2026-09-20"]
    feedback.append_answers(tmp_path, "churn", [one])
    assert feedback.load_answers(tmp_path, "churn") == [one]
    path = tmp_path / "feedback" / "churn.csv"
    path.write_bytes(b"\r\n".join(line.rpartition(b",")[0] for line in path.read_bytes().splitlines()) + b"\r\n")
    (old,) = feedback.load_answers(tmp_path, "churn")
    assert (old.contacted_on, old.play) == ("", "other"), "a file of before has no such column"


def test_only_a_contact_has_a_day_and_a_play() -> None:
    content = file({"action": "too_late", "contacted_on": "2026-09-20", "play": "errors"}, columns=(*COLUMNS, "contacted_on", "play"))
    (one,) = feedback.match_answers(feedback.read_answers(content, "f.csv"), LISTS, "f.csv")
    assert (one.contacted_on, one.play) == ("", "")


def test_an_answer_that_is_taken_back_counts_no_longer_and_the_next_one_does() -> None:
    first, back, other = answer(at="2026-10-02T09:00:00Z"), answer(action="undo", at="2026-10-02T10:00:00Z"), answer(customer_id="c2")
    again = answer(action="snooze", until="2026-12-01", at="2026-10-02T11:00:00Z")
    assert standing_answers([first, other, back]) == [other]
    assert standing_answers([back, first]) == []  # whichever file came first
    assert standing_answers([first, back, again]) == [again]
    assert standing_answers([answer(at="2026-10-02T10:30:00Z"), back]) != []
    assert standing_answers([first, answer(action="undo", at="2026-10-02T10:00:00Z", run_id="f" * 16)]) == [first]


def test_what_is_taken_back_stood_until_then(tmp_path: Path) -> None:
    first, back = answer(at="2026-10-02T09:00:00Z"), answer(action="undo", at="2026-10-05T10:00:00Z")
    feedback.append_answers(tmp_path, "churn", [first, back])
    at = {day: known_answers(tmp_path, "churn", datetime(2026, 10, day), static=False) for day in (2, 3, 6)}
    assert at == {2: [], 3: [first], 6: []}
    # an export stands still: there the list it was given on is where both count from
    assert known_answers(tmp_path, "churn", datetime(2026, 10, 1), static=True) == []


def test_an_undo_is_a_line_of_the_file_like_any_other(tmp_path: Path) -> None:
    (one,) = taken({"action": "undo", "until": "x", "contacted_on": "y"})
    assert (one.action, one.until, one.contacted_on) == ("undo", "", "")
    feedback.append_answers(tmp_path, "churn", [one])
    assert feedback.load_answers(tmp_path, "churn") == [one]


def test_the_newest_answer_decides_how_a_customer_rests() -> None:
    snooze = answer(action="snooze", until="2026-11-15", at="2026-10-02T00:00:00Z", score="0.25")
    alarm = answer(action="wrong_alarm", at="2026-10-03T00:00:00Z")
    late = answer(action="too_late", at="2026-10-04T00:00:00Z")
    called = answer(action="contacted", at="2026-10-05T00:00:00Z")
    asked = {"static": False, "zone": "Europe/Paris", "horizon_days": 30, "wrong_alarm_days": 60}

    def rests(day: int) -> tuple:
        row = customer_answers([called, late, alarm, snooze], datetime(2026, 10, day, 1), **asked).iloc[0]
        return row["rests"], row["rests_until"], row["said"]

    assert rests(2) == ("snoozed", pd.Timestamp("2026-11-14T23:00"), "snooze"), "until 00:00 of the source's zone"
    assert rests(3) == ("snoozed", pd.Timestamp("2026-12-02"), "wrong_alarm")
    assert rests(4) == ("too_late", pd.Timestamp("2026-11-03"), "too_late")
    assert rests(6) == rests(4), "a contact ends no rest"
    row = customer_answers([called, late, alarm, snooze], datetime(2026, 10, 6), **asked).iloc[0]
    assert row["contacted_at"] == pd.Timestamp("2026-10-05")
    shuffled = customer_answers([snooze, called, alarm, late], datetime(2026, 10, 6), **asked)
    pd.testing.assert_frame_equal(shuffled, customer_answers([called, late, alarm, snooze], datetime(2026, 10, 6), **asked))


def test_a_list_is_read_once_however_many_answers_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from prevenance.runs import feedback as taking
    from prevenance.runs.settings.schema import Settings
    from prevenance.runs.steps import Steps

    asked: list[str] = []

    def listed(out: Path, answer: Answer) -> dict[tuple[str, str], float | None]:
        asked.append(answer.run_id)
        return {("c1", ""): 0.25}

    monkeypatch.setattr(taking, "_listed", listed)
    (tmp_path / "f.csv").write_bytes(file(*({"at": f"2026-10-02T09:00:{second:02d}Z"} for second in range(50))))
    told = taking.take_answers(Settings(out=str(tmp_path), file=str(tmp_path / "f.csv")), Steps(tmp_path))
    assert (told["read"], len(asked)) == (50, 1)
