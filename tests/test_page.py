from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pytest
import views
from hypothesis import given
from hypothesis import strategies as st

from prevenance.demo.names import HOSTILE
from prevenance.publish import cells, header
from prevenance.publish.digest import MAIL, MOST, SLACK, Form, digest_text
from prevenance.publish.index import index_page
from prevenance.publish.moves import move_beside
from prevenance.publish.page import list_page
from prevenance.publish.workbook import CUT, LONGEST, cell_text, workbook_bytes
from prevenance.words import words

SAY = words("en")


class Elements(HTMLParser):
    """What stands in a page: elements with their attributes, and the text outside scripts and styles."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.inside = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.text.append(data)


def block_of(source: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="block">(.*?)</script>', source, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def ugly_views() -> dict[str, dict[str, Any]]:
    nothing = {"rows": [{"customer_id": "1", "rank": 1, "score": 0.4}], "target": "churn", "cutoff": "2026-10-01T00:00:00Z"}
    bare = views.view(12, 5)
    for one in bare["rows"]:
        one |= {"details": None, "owner": None, "value_at_stake": None, "expected_value": None, "segment": None, "reasons": "", "holds": ""}
    return {
        "nasty names": views.view(60, 40, names=views.NASTY),
        "no rows": views.view(0),
        "one row": views.view(1, 1),
        "nobody above the line": views.view(20, 0),
        "no details, owners or money": bare
        | {"currency": "", "fits": None, "record": None, "moved": None, "sources": None, "assumed": None},
        "almost nothing": nothing,
        "nothing at all": {},
        "messages": views.view(
            15, 5, no_model="ranked by the simple rule: rules, no model", messages=["<b>usage</b> is late", "\x1b[31mred"]
        ),
        "offers": views.view(15, 5, target="cross_sell")
        | {"rows": [row | {"product_id": "P-1", "product": "<i>more</i>"} for row in views.view(15, 5)["rows"]]},
    }


UGLY = ugly_views()


@pytest.mark.parametrize("language", ["en", "fr", "de"])
@pytest.mark.parametrize("name", UGLY)
def test_every_view_gives_a_page_a_workbook_a_digest_and_an_index(name: str, language: str) -> None:
    view = UGLY[name] | {"language": language}
    for told in (list_page(view), digest_text(view), index_page([view])):
        assert told
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", told)
        assert told.encode("utf-8")
        assert "None" not in re.sub(r"<script.*?</script>", "", told, flags=re.DOTALL)
    assert workbook_bytes(view)


def test_a_page_asks_nothing_of_the_network_and_runs_only_its_own() -> None:
    for told in (list_page(views.view(60, 40, names=views.NASTY)), index_page([views.view(names=views.NASTY)])):
        elements = Elements(told)
        policy = next(found["content"] for tag, found in elements.found if tag == "meta" and found.get("http-equiv"))
        assert policy is not None
        assert "unsafe" not in policy
        for one in ("default-src 'none'", "base-uri 'none'", "form-action 'none'"):
            assert one in policy
        for inner in re.findall(r"<(?:style|script)>(.*?)</(?:style|script)>", told, re.DOTALL):
            assert f"'sha256-{b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'" in policy
        for tag, found in elements.found:
            assert tag not in ("img", "iframe", "link", "object", "embed", "form", "base", "video", "audio")
            assert not any(name == "style" or name.startswith("on") or name == "src" for name in found), (tag, found)
            assert not re.match(r"\w+:|//", found.get("href") or ""), found
        assert sum(tag == "script" for tag, _ in elements.found) == told.count("<script")


def test_the_block_cannot_end_itself_and_reads_back() -> None:
    view = views.view(60, 40, names=views.NASTY)
    inner = list_page(view).split('id="block">')[1].split("</script>")[0]
    assert not re.search(r"[<>&\u2028\u2029]", inner)
    told = block_of(list_page(view))
    ids = told["columns"]["customer_id"]
    groups = [[row for row in view["rows"] if cells.group_of(row) == key] for key in ("listed", *cells.GROUPS_APART)]
    assert [ids["of"][place] for place in ids["at"]] == [row["customer_id"] for part in groups for row in part]
    assert told["run"]["run_id"] == view["run_id"]
    assert set(told["exported"]) >= {"run_id", "data_until", "model", "customer_id", "score"}


def test_a_page_is_the_same_whatever_was_rendered_before() -> None:
    first = list_page(views.view())
    list_page(views.view(3, 1, language="fr", target="tickets"))
    assert list_page(views.view()) == first


def test_every_row_stands_once_in_its_group_and_in_its_order() -> None:
    view = views.view(60, 12)
    told = list_page(view)
    sections = re.findall(
        r'<section class="group" data-group="(\w+)"(.*?)</section>(?=\s*<section class="group"|\s*<p class="empty)', told, re.DOTALL
    )
    names = {key: re.findall(r'<th scope="row"><b>(.*?)</b>', part) for key, part in sections}
    # An offer that waits stands on the page of the week alone.
    assert list(names) == ["listed", *(one for one in cells.GROUPS_APART if one != "in_trouble")]
    for key, found in names.items():
        assert [name.replace("&amp;", "&") for name in found] == [row["name"] for row in view["rows"] if cells.group_of(row) == key]
    assert re.findall(r"<tr><td>(\d*)", dict(sections)["listed"]) == [str(n) for n in range(1, 13)]
    assert set(re.findall(r"<tr><td>(\d*)", dict(sections)["snoozed"])) == {""}


def test_the_page_says_what_matters_in_words() -> None:
    told = " ".join(" ".join(Elements(list_page(views.view())).text).split())
    for sentence in (
        "12 customers fit the 18 hours of this week.",
        "About 4 of them are expected to leave within 90 days, and €170k a year with them.",
        "Last quarter, 13 of the 40 customers on the list left. 24 of the 37 that left were not on it.",
        "assumed 15 %, not measured",
        "⚠ tickets 28 Sept, 2 days late",
        "about 6 in 10",
        "Holds: 4 of 5 modules in use",
        "woken: +12 points",
        "until 19 Oct",
        "Of 61 similar customers of the past, 26 left.",
        "Above Halden Foods",
        "What changed since 30 Sept",
    ):
        assert sentence in told, sentence


@pytest.mark.parametrize("target", ["churn", "tickets", "cross_sell", "something_else"])
@pytest.mark.parametrize("source", ["lists", "backtest", "none"])
def test_the_head_speaks_of_its_target(target: str, source: str) -> None:
    view = views.view(target=target)
    view["record"]["source"] = source
    if target != "churn":
        assert "leav" not in " ".join(
            [*header.fits_sentences(SAY, view), header.record_sentence(SAY, view), header.chance_heading(SAY, view)]
        )
    assert ("13 of the 40" in header.record_sentence(SAY, view)) == (source != "none")


@given(st.one_of(st.none(), st.floats(allow_nan=True), st.text(max_size=3)))
def test_a_chance_is_told_or_unknown(share: Any) -> None:
    told = cells.chance_text(SAY, share)
    if isinstance(share, float) and 0.005 <= share < 0.95:
        count, of = map(int, re.findall(r"\d+", told))
        assert abs(count / of - share) <= 0.5 / of + 1e-9
    else:
        assert told in ("not enough data", "below 1 in 100", "more than 9 in 10") or isinstance(share, float)


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=14))
def test_a_line_stays_in_its_box_and_has_a_point_for_each_known_week(weeks: list[float | None]) -> None:
    path, last = cells.sparkline(weeks, width=90, height=20, most=cells.sparkline_top(weeks))
    points = [tuple(map(int, one)) for one in re.findall(r"(-?\d+) (-?\d+)", path)]
    assert len(points) == sum(value is not None for value in weeks)
    assert all(0 <= x <= 90 and 0 <= y <= 20 for x, y in points)
    assert last == (points[-1] if points else None)


@pytest.mark.parametrize(
    ("change", "low", "high", "rising"),
    [
        (1.2, 0.2, 0.3, False),
        (5.0, 0.2, 0.3, False),
        (5.1, 0.2, 0.3, True),
        (9.0, 0.2, 0.4, False),
        (11.0, 0.2, 0.4, True),
        (-20.0, 0.2, 0.3, False),
    ],
)
def test_rising_is_what_the_row_calls_rising(change: float, low: float, high: float, rising: bool) -> None:
    row = {"score": 0.25, "score_low": low, "score_high": high, "change_28d": change}
    assert cells.is_rising(row) == rising == (cells.trend_cell(SAY, row)["word"] == "rising")
    view = views.view(1, 1)
    view["rows"][0] |= row
    assert block_of(list_page(view))["columns"]["_rising"] == [int(rising)]


@pytest.mark.parametrize(
    ("expected", "told"), [(2.9, "About 3 of them"), (1.4, "About 1 of them"), (0.4, "€170k is expected to be at stake")]
)
def test_people_are_counted_whole(expected: float, told: str) -> None:
    view = views.view()
    view["fits"]["expected_outcomes"] = expected
    assert told in header.fits_sentences(SAY, view)[1]


def test_the_list_s_day_is_that_of_its_source() -> None:
    view = views.view(cutoff="2026-09-22T22:00:00Z", date="2026-09-23")
    assert "23 Sept" in digest_text(view).splitlines()[0]
    assert "23 September 2026" in " ".join(Elements(list_page(view)).text)


def test_late_and_absolute_links_do_not_leave_the_folder() -> None:
    told = list_page(views.view(links={"report": "javascript:alert(1)", "index": "//example.invalid/", "replay": "../r.html"}))
    assert "example.invalid" not in told
    assert 'href="../r.html"' in told


def test_a_list_without_money_or_renewals_has_no_such_columns() -> None:
    view = views.view(12, 5, currency="")
    for one in view["rows"]:
        one["value_at_stake"] = one["expected_value"] = None
        one["details"].pop("renews_on", None)
    told = list_page(view)
    assert 'data-sort="money"' not in told
    assert 'data-sort="renewal"' not in told
    assert "Renews within" not in told


def test_a_source_without_contacts_does_not_say_that_there_was_none() -> None:
    view = views.view()
    assert "Last and next contact" in list_page(view)
    for row in view["rows"]:
        for key in ("last_contact", "last_contact_kind", "next_contact"):
            row["details"].pop(key, None)
    text = list_page(view)
    assert "Last and next contact" not in text
    assert "no contact yet" not in text


@pytest.mark.sweep
def test_five_thousand_rows_stay_below_twelve_megabytes() -> None:
    told = list_page(views.view(5000, 40))
    assert len(told.encode()) < 12_000_000


def test_why_a_chance_moved_is_not_what_the_row_says_already() -> None:
    reasons = ["Errors met in 7 days: 5 (usually 1)"]
    moved = ["Errors met in 7 days: 5 (28 days before: none)", "Logins in 7 days: none (28 days before: 4)"]
    told = {"score": 0.4, "score_low": 0.38, "score_high": 0.42, "details": {"moved": moved}}
    for change, beside in ((30.0, moved[1]), (-30.0, moved[0]), (1.0, "")):
        one = told | {"change_28d": change}
        assert move_beside(one, cells.trend_cell(words("en"), one), reasons) == beside
    one = told | {"change_28d": 30.0, "details": {"moved": moved[:1]}}
    assert move_beside(one, cells.trend_cell(words("en"), one), reasons) == ""


# --- the workbook


def test_the_workbook_is_a_real_spreadsheet() -> None:
    view = views.view()
    content = workbook_bytes(view)
    assert content == workbook_bytes(views.view())
    assert all(one.date_time[:3] == (1980, 1, 1) for one in zipfile.ZipFile(io.BytesIO(content)).infolist())
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["List", "Data", "About"]
    sheet = book["Data"]
    heads = [cell.value for cell in sheet[1]]
    assert sheet.freeze_panes == "D2"
    assert sheet.auto_filter.ref == f"A1:{sheet.cell(1, len(heads)).column_letter}41"
    for here, row in enumerate(view["rows"], start=2):
        for place, name in enumerate(heads, start=1):
            cell = sheet.cell(here, place)
            expected = row.get(name)
            if name in ("score", "expected_value", "customer_id", "rank", "name"):
                assert cell.value == (pytest.approx(expected) if isinstance(expected, float) else expected)
    score, money, day = (sheet.cell(2, heads.index(name) + 1) for name in ("score", "value_at_stake", "act_by"))
    assert (score.number_format, money.number_format, day.is_date) == ("0.0%", '#,##0 "EUR"', True)
    assert "assumed 15 %, not measured" in " ".join(str(cell.value) for cell in book["About"]["B"])


READ = {
    "en": "No.|Customer|Owner|State|Chance of leaving in 90 days|Change in 28 days, points|Money at stake|Worth of a contact|Renewal|Why|What to do|By",
    "de": "Nr.|Kunde|Betreuer|Stand|Kündigung in 90 Tagen|Änderung in 28 Tagen, Punkte|Geld auf dem Spiel|Wert eines Kontakts|"
    "Verlängerung|Warum|Was tun|Bis zum",
}


@pytest.mark.parametrize("language", READ)
def test_the_first_sheet_is_twelve_columns_to_read(language: str) -> None:
    view = views.view(language=language)
    book = openpyxl.load_workbook(io.BytesIO(workbook_bytes(view)))
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    assert heads == [*READ[language].split("|"), "customer_id"]
    assert [name for name, one in sheet.column_dimensions.items() if one.hidden] == ["M"]
    ids = [[cell.value for cell in book[name][column]][1:] for name, column in ((sheet.title, "M"), ("Data", "B"))]
    assert ids[0] == ids[1] == [row["customer_id"] for row in view["rows"]]
    assert all(cell.value for cell in sheet["D"])


def test_an_offer_and_a_week_have_twelve_columns_too() -> None:
    offers = views.view(target="cross_sell")
    for row in offers["rows"]:
        row |= {"product_id": "P1", "product": "Insight"}
    for view, own in ((offers, "Product"), (views.week(), "Also")):
        heads = [cell.value for cell in openpyxl.load_workbook(io.BytesIO(workbook_bytes(view))).worksheets[0][1]]
        assert len(heads) == 13
        assert heads[2] == own


def test_no_name_is_alive_in_the_workbook() -> None:
    content = workbook_bytes(views.view(60, 40, names=views.NASTY))
    for name, part in (
        (one.filename, zipfile.ZipFile(io.BytesIO(content)).read(one)) for one in zipfile.ZipFile(io.BytesIO(content)).infolist()
    ):
        assert b"<f>" not in part, name
        assert b"<hyperlink" not in part, name
    sheet = openpyxl.load_workbook(io.BytesIO(content))["Data"]
    names = [cell.value for cell in sheet["C"]][1:]
    assert len(names) == 60
    for told in names:
        assert told is None or not re.match(r"[=+\-@\t\r＝＋－＠]", told)
        assert told is None or len(told) <= LONGEST
    assert any(told is not None and told.endswith(CUT) for told in names)


@given(st.text(max_size=40))
def test_a_text_of_a_cell_is_text(value: str) -> None:
    told = cell_text(value)
    assert not told.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert told.encode("utf-8").decode("utf-8") == told


# --- the digest


def test_the_digest_is_short_and_names_the_first() -> None:
    told = digest_text(views.view())
    assert sum(bool(one) for one in told.splitlines()) <= MOST
    for sentence in ("12 customers fit the 18 hours", "13 of the 40", "New 3", "1. **River", "`list.html`", "and 5 more"):
        assert sentence in told, sentence


@pytest.mark.parametrize("name", views.NASTY)
def test_no_name_is_markup_in_the_digest(name: str) -> None:
    view = views.view(1, 1, names=[name])
    (row,) = [one for one in digest_text(view).splitlines() if one.startswith("1. ")]
    inner = re.sub(r"\\.", "", row.split("** (")[0].removeprefix("1. **"))
    assert not re.search(r"[<>\[\]`*_#@|!]|https?://", inner), inner


@pytest.mark.parametrize("form", [SLACK, MAIL])
def test_a_digest_for_chat_or_mail_says_the_same(form: Form) -> None:
    told = digest_text(views.view(), form)
    for sentence in ("12 customers fit the 18 hours", "13 of the 40", "New 3", "1. ", "list.html", "and 5 more"):
        assert sentence in told, sentence
    assert "**" not in told
    assert "\\" not in told
    assert ("*River" in told) == (form is SLACK)


@pytest.mark.parametrize("name", views.NASTY)
def test_no_name_is_markup_in_a_chat(name: str) -> None:
    (row,) = [one for one in digest_text(views.view(1, 1, names=[name]), SLACK).splitlines() if one.startswith("1. ")]
    inner = re.sub("\u200b.", "", row.removeprefix("1. *").split("* (")[0])
    assert not re.search(r"[<>*_~`@#]|https?://", inner), inner


def test_a_link_in_a_chat_and_in_a_mail_is_theirs() -> None:
    view = views.view(1, 1) | {"addresses": {"customer": "https://crm.example/{customer_id}"}}
    assert "1. *<https://crm.example/00000|" in digest_text(view, SLACK)
    assert "<https://crm.example/00000>" in digest_text(view, MAIL)


# --- the index


def test_the_index_shows_every_list_and_who_is_starved() -> None:
    both = [
        views.view(),
        views.view(
            target="tickets",
            currency="",
            owners=[],
            segments=[{"segment": "tiny", "expected_outcomes": 3.0, "contact_share": 0.1, "outcome_share": 0.4}],
        ),
    ]
    told = index_page(both, folders={"tickets": "elsewhere/tickets"})
    assert 'href="lists/churn/latest/list.html"' in told
    assert 'href="elsewhere/tickets/list.html"' in told
    assert 'href="train/churn/report.html"' in told
    text_ = " ".join(" ".join(Elements(told).text).split())
    for sentence in (
        "7.5 of 8 hours",
        "▲ 4 hours too many",
        "! gets less attention than what is expected there",
        "! less attention than losses",
        "● in step",
        "Tickets to prevent",
    ):
        assert sentence in text_, sentence


def test_the_hostile_names_are_those_of_the_demo() -> None:
    assert len(HOSTILE) == 22
    assert set(HOSTILE) <= set(views.NASTY)
