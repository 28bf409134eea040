"""The page as people use it: in headless Chromium, from a file, with the network watched."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import reports
import views
from amount import some

from bench import tickets as bench_tickets
from prevenance.demo.names import HOSTILE
from prevenance.history.history import History
from prevenance.publish import cells
from prevenance.publish.dossier import customer_page, dossier_page
from prevenance.publish.index import index_page
from prevenance.publish.page import list_page
from prevenance.publish.replay import replay_page
from prevenance.publish.report import report_page
from prevenance.sources.files import new_engine
from prevenance.support.facts import Facts, support_facts
from prevenance.support.page import report_page as support_page
from prevenance.support.records import Asked
from prevenance.words import words

CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None)
pytest.importorskip("playwright", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("no Chromium or Chrome on this machine's PATH: the page is not tried in a browser", allow_module_level=True)

from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
)
COLUMNS = "target,customer_id,product_id,run_id,cutoff,action,at,until,channel,outcome,reason,by,contacted_on,play"
pytestmark = [pytest.mark.long, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS.split())
        yield started
        started.close()


Opener = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Opens a written page from its file; at the end nothing may have been asked of the network, and nothing may have gone wrong."""
    asked: list[str] = []
    wrong: list[str] = []
    contexts = []

    def open_page(written: str, *, at: str = "", name: str = "list.html", **options: Any) -> Page:
        (tmp_path / name).write_text(written, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        one = context.new_page()
        one.on("request", lambda request: asked.append(request.url))
        one.on("console", lambda message: wrong.append(message.text))
        one.on("pageerror", lambda error: wrong.append(str(error)))
        one.on(
            "dialog", lambda dialog: dialog.accept() if dialog.type == "beforeunload" else (wrong.append(dialog.message), dialog.dismiss())
        )
        one.goto((tmp_path / name).as_uri() + at)
        return one

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in asked if not url.startswith(("file://", "blob:file://"))] == []
    assert [url for url in asked if url.startswith("file://") and not url.split("#")[0].endswith((".html",))] == []
    assert wrong == []


def names(one: Page, group: str = "listed") -> list[str]:
    """Return the customers that a reader sees in a group, top down."""
    found = one.locator(f'section[data-group="{group}"] table.list > tbody:not(.off) > tr:first-child th[scope=row] b')
    return [text.strip() for text in found.all_inner_texts()]


def rows_of(view: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    return [row for row in view["rows"] if row["rank"] and all(row[key] == value for key, value in wanted.items())]


def violations(one: Page) -> list[str]:
    return [f"{found['id']}: {found['nodes'][0]['html'][:150]}" for found in Axe().run(one).response["violations"]]


def downloaded(one: Page, click: str) -> list[dict[str, str]]:
    with one.expect_download() as waiting:
        one.click(click)
    content = Path(waiting.value.path()).read_bytes()
    assert content.endswith(b"\r\n")
    return list(csv.DictReader(content.decode("utf-8").splitlines(keepends=True)))


VIEW = views.view()
LIST = list_page(VIEW)


def test_sort_by_each_column_and_back(opened: Opener) -> None:
    one = opened(LIST)
    first = names(one)
    keys: dict[str, Callable[[dict[str, Any]], Any]] = {
        "name": lambda row: row["name"].casefold(),
        "trend": lambda row: -row["change_28d"],
        "money": lambda row: -row["value_at_stake"] * row["score"],
        "renewal": lambda row: row["details"]["renews_on"],
        "contact": lambda row: row["details"]["last_contact"],
    }
    for column, key in keys.items():
        head = one.locator(f'section[data-group=listed] th[data-sort="{column}"]')
        head.locator("button").click()
        told = names(one)
        by_name = {row["name"]: key(row) for row in rows_of(VIEW)}
        assert [by_name[name] for name in told] == sorted(by_name.values()), column
        assert head.get_attribute("aria-sort") in ("ascending", "descending")
        head.locator("button").click()
        assert [by_name[name] for name in names(one)] == sorted(by_name.values(), reverse=True), column
        head.locator("button").click()
        assert names(one) == first
        assert head.get_attribute("aria-sort") is None


def test_search_and_filters_show_whom_they_say_and_the_address_keeps_the_view(opened: Opener) -> None:
    one = opened(LIST)
    one.select_option("[data-filter=owner]", "Emil Haas")
    assert names(one) == [row["name"] for row in rows_of(VIEW, owner="Emil Haas")]
    one.click("[data-chip=rising]")
    wanted = [row["name"] for row in rows_of(VIEW, owner="Emil Haas") if cells.is_rising(row)]
    assert names(one) == wanted
    one.click('th[data-sort="money"] button')
    seen, address = names(one), one.url
    assert sorted(seen) == sorted(wanted)
    assert re.search(r"owner=Emil.Haas", address)
    again = opened(LIST, at="#" + address.partition("#")[2])
    assert names(again) == seen
    assert again.get_attribute("[data-chip=rising]", "aria-pressed") == "true"
    again.click("#clear")
    assert names(again) == [row["name"] for row in rows_of(VIEW)]
    again.fill("#q", rows_of(VIEW)[4]["name"][:9].upper())
    again.wait_for_timeout(250)
    assert rows_of(VIEW)[4]["name"] in names(again)
    assert len(names(again)) < 12


@pytest.mark.parametrize(
    ("chip", "fits"),
    [
        ("new", lambda row: row["state"] == "new" or row["moved"] == "entered"),
        ("renewal", lambda row: row["details"]["renews_on"] <= "2026-12-30"),
        ("quiet", lambda row: row["details"]["last_contact"] <= "2026-09-01"),
    ],
)
def test_chips(opened: Opener, chip: str, fits: Callable[[dict[str, Any]], bool]) -> None:
    one = opened(LIST)
    one.click(f"[data-chip={chip}]")
    assert names(one) == [row["name"] for row in rows_of(VIEW) if fits(row)]


def test_a_search_finds_customers_beyond_the_line(opened: Opener) -> None:
    far = next(row for row in VIEW["rows"] if row["apart"] == "beyond_capacity")
    one = opened(LIST)
    assert not one.locator("section[data-group=beyond_capacity] tbody").first.is_visible()
    one.fill("#q", far["customer_id"])
    one.locator("section[data-group=beyond_capacity] tbody:not(.off)").first.wait_for()
    assert names(one, "beyond_capacity") == [far["name"]]
    assert names(one) == []


def test_an_opened_row_says_the_same_from_the_page_and_from_the_block(opened: Opener) -> None:
    """The parts of a row beyond the line are unfolded by the script; those of a listed row are written by Python."""
    beyond = views.view(14, 0)
    beyond["rows"][0]["apart"] = "beyond_capacity"
    listed = views.view(14, 0)
    listed["rows"][0] |= {"rank": 1, "apart": ""}
    told = []
    for view in (beyond, listed):
        one = opened(list_page(view), at="#open=00000")
        story = one.locator("tbody.open .story")
        assert story.is_visible()
        told.append((story.inner_text(), story.locator("svg").evaluate_all("all => all.map(one => one.outerHTML.replaceAll('\\n', ''))")))
    assert told[0] == told[1]
    for part in (
        "Why this chance",
        "Background",
        "What holds them",
        "History",
        "Customers like this",
        "Call note",
        "Draft message",
        "What changed since",
    ):
        assert part in told[0][0]


def test_notes_are_two_clicks_and_download_as_feedback(opened: Opener) -> None:
    one = opened(LIST)
    rows = one.locator("section[data-group=listed] table.list > tbody")

    def act(place: int, action: str) -> None:
        # as a reader scrolls: the bar for notes at the bottom covers a row that stands there
        rows.nth(place).evaluate("row => row.scrollIntoView({block: 'center'})")
        rows.nth(place).hover()
        rows.nth(place).locator(f"[data-act={action}]").click()

    act(0, "contacted")
    one.click("#d-contacted [data-channel=call][data-outcome=reached]")
    act(1, "snooze")
    one.click("#d-snooze [data-reason=holiday][data-days='14']")
    act(2, "wrong_alarm")
    one.click("#d-wrong_alarm [data-reason=data_error]")
    act(3, "too_late")
    act(5, "approved")
    act(4, "too_late")
    rows.nth(4).locator("[data-undo]").click()
    assert one.inner_text("#unsaved") == "5 notes not yet saved"
    assert "Noted: Contacted" in rows.nth(0).inner_text()
    one.fill("#by", "=Dana")
    found = downloaded(one, "#save")
    assert list(found[0]) == COLUMNS.split(",")
    assert [row["action"] for row in found] == ["contacted", "snooze", "wrong_alarm", "too_late", "approved"]
    assert [row["customer_id"] for row in found] == ["00000", "00001", "00002", "00003", "00005"]
    assert (found[0]["channel"], found[0]["outcome"], found[1]["reason"], found[2]["reason"]) == (
        "call",
        "reached",
        "holiday",
        "data_error",
    )
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found[1]["until"])
    for row in found:
        assert (row["target"], row["run_id"], row["cutoff"], row["by"]) == ("churn", VIEW["run_id"], VIEW["cutoff"], "'=Dana")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["at"])
    assert one.inner_text("#unsaved") == "All notes are saved"


def test_the_file_of_notes_is_what_the_next_night_reads(opened: Opener) -> None:
    feedback = pytest.importorskip("prevenance.decide.feedback")
    one = opened(LIST)
    one.locator("tbody button.name").first.focus()
    one.keyboard.press("s")
    one.click("#d-snooze [data-reason=other][data-days='30']")
    with one.expect_download() as waiting:
        one.click("#save")
    ((_, answer),) = feedback.read_answers(Path(waiting.value.path()).read_bytes(), "feedback.csv")
    assert (answer.action, answer.customer_id, answer.reason) == ("snooze", "00000", "other")


def test_a_note_in_a_file_is_taken_back_by_a_line_of_the_next(opened: Opener) -> None:
    one = opened(LIST)
    row = one.locator("section[data-group=listed] table.list > tbody").first

    def press(key: str) -> None:
        row.locator("button.name").focus()
        one.keyboard.press(key)

    press("a")
    downloaded(one, "#save")
    row.locator("[data-undo]").click()
    assert "Taken back: save the notes once more" in row.inner_text()
    assert one.inner_text("#unsaved") == "1 note not yet saved"
    row.locator("[data-undo]").click()
    assert "Noted: Approved" in row.inner_text()
    row.locator("[data-undo]").click()
    (told,) = downloaded(one, "#save")
    assert (told["action"], told["customer_id"], told["run_id"]) == ("undo", "00000", VIEW["run_id"])
    assert not row.locator(".noted").is_visible()
    press("t")
    (told,) = downloaded(one, "#save")
    assert told["action"] == "too_late"


def test_a_note_on_the_page_of_a_week_is_an_answer_to_the_list_that_the_row_is_from(opened: Opener) -> None:
    view = views.week()
    one = opened(list_page(view))
    for place in (0, 1):
        one.locator("tbody button.name").nth(place).focus()
        one.keyboard.press("a")
    told = downloaded(one, "#save")
    assert [(row["customer_id"], row["target"], row["run_id"], row["product_id"]) for row in told] == [
        (row["customer_id"], row["target"], row["run_id"], row.get("product_id") or "") for row in view["rows"][:2]
    ]


def test_a_contact_has_its_day_and_says_when_something_else_was_done(opened: Opener) -> None:
    one = opened(LIST)
    for place, (day, other) in enumerate([("2026-09-20", False), ("", True)]):
        one.locator("tbody button.name").nth(place).focus()
        one.keyboard.press("c")
        if day:
            one.fill("#contacted-on", day)
        one.set_checked("#other-play", other)
        one.click("#d-contacted [data-channel=call][data-outcome=reached]")
    found = downloaded(one, "#save")
    assert [row["play"] for row in found] == ["", "other"]
    assert found[0]["contacted_on"] == "2026-09-20"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found[1]["contacted_on"])


def test_a_page_with_notes_in_no_file_asks_before_it_is_closed(opened: Opener) -> None:
    one = opened(LIST)
    asks = "() => !dispatchEvent(new Event('beforeunload', {cancelable: true}))"
    assert not one.evaluate(asks)
    one.locator("tbody button.name").first.focus()
    one.keyboard.press("t")
    assert one.evaluate(asks)
    one.locator("[data-undo]:visible").first.click()
    assert not one.evaluate(asks)
    one.locator("tbody button.name").first.focus()
    one.keyboard.press("t")
    downloaded(one, "#save")
    assert not one.evaluate(asks)


def test_notes_outlive_the_page(opened: Opener) -> None:
    one = opened(LIST)
    one.locator("tbody button.name").nth(2).focus()
    one.keyboard.press("t")
    one.reload()
    assert one.inner_text("#unsaved") == "1 note not yet saved"
    assert "Noted: Too late" in one.locator("section[data-group=listed] table.list > tbody").nth(2).inner_text()


def test_without_a_store_notes_last_as_long_as_the_page(opened: Opener, browser: Browser) -> None:
    one = opened(LIST)
    one.add_init_script("Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no'); }})")
    one.reload()
    one.locator("tbody button.name").first.focus()
    one.keyboard.press("t")
    assert one.inner_text("#unsaved") == "1 note not yet saved"
    assert len(downloaded(one, "#save")) == 1


def test_export_carries_where_it_comes_from(opened: Opener) -> None:
    one = opened(LIST)
    one.select_option("[data-filter=segment]", "small")
    found = downloaded(one, "#export")
    wanted = rows_of(VIEW, segment="small")
    assert [row["customer_id"] for row in found] == [row["customer_id"] for row in wanted]
    assert [float(row["score"]) for row in found] == [row["score"] for row in wanted]
    for row in found:
        assert (row["run_id"], row["data_until"], row["model"]) == (VIEW["run_id"], VIEW["data_until"], VIEW["model"]["version"])


def test_the_keyboard_does_it_all(opened: Opener) -> None:
    one = opened(LIST)
    one.locator("tbody button.name").first.focus()
    one.keyboard.press("ArrowDown")
    one.keyboard.press("ArrowDown")
    one.keyboard.press("ArrowUp")
    one.keyboard.press("Enter")
    assert one.locator("tbody.open").count() == 1
    assert "open=00001" in one.url
    assert one.locator("tbody.open button.name").get_attribute("aria-expanded") == "true"
    one.keyboard.press("Enter")
    assert one.locator("tbody.open").count() == 0
    for key, dialog in (("c", "contacted"), ("s", "snooze"), ("w", "wrong_alarm")):
        one.keyboard.press(key)
        assert one.locator(f"#d-{dialog}").is_visible()
        one.keyboard.press("Escape")
        assert not one.locator(f"#d-{dialog}").is_visible()
    one.keyboard.press("c")
    one.keyboard.press("Enter")
    assert one.inner_text("#unsaved") == "1 note not yet saved"
    assert one.evaluate("document.activeElement.className") == "name"


def test_a_plain_table_without_scripts(opened: Opener) -> None:
    one = opened(LIST, java_script_enabled=False)
    assert one.locator("section[data-group=listed] tbody th[scope=row]").count() == 12
    assert one.locator(".js-only:visible").count() == 0
    summary = one.locator("tbody details summary").first
    assert not one.locator("tbody .story").first.is_visible()
    summary.click()
    assert one.locator("tbody .story").first.is_visible()
    assert [one.locator(f"section[data-group={group}] tbody").count() for group in ("beyond_capacity", "below_floor")] == [17, 1]


def test_print_shows_the_list_and_no_controls(opened: Opener) -> None:
    one = opened(LIST)
    one.evaluate("dispatchEvent(new Event('beforeprint'))")
    one.emulate_media(media="print")
    apart = (f"section[data-group={group}]" for group in ("beyond_capacity", "too_late", "not_enough_data"))
    for gone in (".controls", ".acts", ".savebar", ".brief .sources", *apart, "nav"):
        assert one.locator(gone).first.is_hidden(), gone
    for kept in (
        "h1",
        ".brief",
        "section[data-group=listed] tbody",
        "section[data-group=holdout] tbody",
    ):
        assert one.locator(kept).first.is_visible(), kept
    content = one.pdf(prefer_css_page_size=True)
    assert 2 <= len(re.findall(rb"/MediaBox", content)) <= 6
    assert re.search(rb"/MediaBox \[0 0 841\.\d+ 594\.\d+\]", content)


VISIBLE = """() => {
  const rows = [...document.querySelectorAll('section[data-group=listed] tbody')];
  const boxes = rows.map((one) => one.getBoundingClientRect());
  return {seen: boxes.filter((box) => box.bottom <= innerHeight).length, tall: boxes.at(-1).bottom - boxes[0].top,
    numbers: rows.every((one) => one.querySelector('td').getBoundingClientRect().width > 1)};
}"""


@pytest.mark.parametrize(("language", "height"), [("en", 800), ("fr", 900), ("de", 900)])
def test_the_first_screen_holds_eight_customers_and_a_phone_twenty_cards(opened: Opener, language: str, height: int) -> None:
    long = {
        "reasons": [
            {"text": "Last recommendation score (NPS): 4 (similar customers: 7), and more words", "points": 3.0, "family": "feedback"}
        ]
        * 3
    }
    view = views.view(60, 20, language=language)
    for one in view["rows"]:
        one["details"] |= long
    wide = opened(list_page(view), viewport={"width": 1280, "height": height})
    assert wide.evaluate(VISIBLE)["seen"] >= 8
    phone = opened(list_page(view), viewport={"width": 390, "height": 844})
    told = phone.evaluate(VISIBLE)
    assert told["tall"] < 5000
    assert told["numbers"]


def test_what_a_closed_row_cuts_is_read_in_the_opened_one(opened: Opener) -> None:
    view = views.view(20, 8)
    view["rows"][0]["action"] = "Go through the errors with their admin on a call, step by step, and write down what came of it, " * 2
    one = opened(list_page(view), viewport={"width": 1280, "height": 800})
    cut = one.locator("tbody p.cut").first
    assert cut.evaluate("one => one.scrollHeight > one.clientHeight")
    one.locator("tbody button.name").first.click()
    assert cut.evaluate("one => one.scrollHeight <= one.clientHeight")


@pytest.mark.parametrize("width", some([390, 820, 1280, 1920], 0, 3))
@pytest.mark.parametrize("name", ["rich", "nasty"])
def test_nothing_scrolls_sideways(opened: Opener, width: int, name: str) -> None:
    view = VIEW if name == "rich" else views.view(40, 36, names=views.NASTY, messages=["A" * 3000])
    one = opened(list_page(view), viewport={"width": width, "height": 900})
    one.locator("tbody button.name").nth(1).click()
    assert one.evaluate("document.documentElement.scrollWidth") <= width


def other_pages(language: str) -> dict[str, str]:
    """Return the pages that are no lists: about a training, a past list and a customer."""
    say, (rows, summary) = words(language), views.replayed()
    return {
        "report": report_page(reports.report(), [], say),
        "replay": replay_page(rows, summary, say),
        "explain": dossier_page(views.explained(), say, say("Customers to keep")),
        "customer": customer_page(views.explained(), say),
        "support": support_page(say, support_told(), {"date": "1 Jan 2026", "run": "Run 0"}),
    }


@cache
def support_told() -> Facts:
    """Return what a report on 600 made-up tickets says."""
    history = History(new_engine(), bench_tickets.CUTOFF, frozenset({"tickets"}))
    history.con.execute(bench_tickets.MADE.format(tickets=600))
    return support_facts(history, Asked(bench_tickets.CUTOFF, team_sizes={f"team {n}": 6 for n in range(9)}))


COVERED = """() => [...document.querySelectorAll("tbody tr")].flatMap((row) => [...row.querySelectorAll("b, small")].filter((one) => {
  one.scrollIntoView({ block: "center" });
  const words = document.createRange(); words.selectNodeContents(one);
  const box = words.getClientRects()[0], top = box && document.elementFromPoint(box.left + 2, box.top + box.height / 2);
  return top && row.contains(top) && !one.contains(top) && !top.contains(one);
}).map((one) => one.textContent))"""
"""The words in a row's cells that another cell of the row lies on."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["report", "replay", "explain", "customer", "support"])
def test_axe_finds_nothing_on_the_other_pages_at_either_width(opened: Opener, scheme: str, kind: str) -> None:
    for width, language in ((1280, "en"), (390, "de")):
        one = opened(other_pages(language)[kind], color_scheme=scheme, viewport={"width": width, "height": 900})
        for summary in one.locator("details summary").all():
            summary.click()
        assert violations(one) == []
        assert one.evaluate("document.documentElement.scrollWidth") <= width
        assert one.evaluate(COVERED) == []


@pytest.mark.parametrize("kind", ["list", "index", "week"])
def test_axe_finds_nothing_on_a_phone(opened: Opener, kind: str) -> None:
    written = {"list": LIST, "index": index_page([VIEW, views.week()]), "week": list_page(views.week(language="fr"))}[kind]
    for scheme in ("light", "dark"):
        assert violations(opened(written, color_scheme=scheme, viewport={"width": 390, "height": 844})) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", ["list", "offers", "empty", "nobody", "index", "week", "index of a week"])
def test_axe_finds_nothing(opened: Opener, scheme: str, kind: str) -> None:
    written = {
        "list": LIST,
        "offers": list_page(views.view(20, 6, target="cross_sell", language="fr", no_model="rules, no model")),
        "empty": list_page(views.view(0)),
        "nobody": list_page(views.view(20, 0)),
        "index": index_page([VIEW, views.view(target="tickets")]),
        "week": list_page(views.week()),
        "index of a week": index_page([VIEW, views.week()]),
    }[kind]
    one = opened(written, color_scheme=scheme)
    if kind == "week":
        one.locator("tbody button.name").first.click()
        one.locator("section[data-group=in_trouble] summary").first.click()
    if kind in ("list", "offers"):
        one.locator("tbody button.name").first.click()
        one.locator("tbody button.name").nth(2).focus()
        one.keyboard.press("t")
        one.locator("section[data-group=snoozed] summary").first.click()
    assert violations(one) == []
    if kind == "list":
        one.locator("tbody button.name").first.focus()
        one.keyboard.press("s")
        assert violations(one) == []


def test_nobody_above_the_line_names_the_closest_and_leads_to_them(opened: Opener) -> None:
    view = views.view(20, 0, closest=["00001", "00000", "00002"])
    one = opened(list_page(view))
    lead = one.locator(".lead dd")
    assert "Nobody stands above your line this week. The closest:" in lead.inner_text()
    assert [lead.locator("a").nth(n).inner_text() for n in range(3)] == [view["rows"][n]["name"] for n in (1, 0, 2)]
    lead.locator("a").first.click()
    one.locator("tbody.open").wait_for()
    assert view["rows"][1]["name"] in one.locator("tbody.open").inner_text()


def test_hostile_names_are_text(opened: Opener) -> None:
    """No script runs, nothing is fetched (the fixture watches), and each name stands as it was given."""
    view = views.view(60, 40, names=views.NASTY)
    one = opened(list_page(view))
    assert len(names(one)) == 40
    assert "<script>alert('name')</script>" in names(one)
    one.locator("tbody button.name").nth(4).click()
    one.fill("#q", "<script>")
    one.wait_for_timeout(250)
    assert names(one)
    one.fill("#q", "")
    one.wait_for_timeout(250)
    found = downloaded(one, "#export")
    told = [row["name"] for row in found][: len(HOSTILE)]
    for name in told:
        assert not re.match(r"[=+\-@\t\r]", name), name
    one.locator("tbody button.name").nth(0).focus()
    one.keyboard.press("c")
    assert "HYPERLINK" in one.inner_text("#d-contacted .whom")
    one.keyboard.press("Escape")
    opened(index_page([view]), name="index.html")


@pytest.mark.sweep
def test_five_thousand_rows_sort_and_search(opened: Opener) -> None:
    view = views.view(5000, 40)
    one = opened(list_page(view))
    assert len(names(one)) == 40
    one.locator("section[data-group=beyond_capacity] > details > summary").click()
    assert len(names(one, "beyond_capacity")) == 100
    one.click("section[data-group=beyond_capacity] [data-further]")
    assert len(names(one, "beyond_capacity")) == 300
    one.click('th[data-sort="chance"] button')
    best = sorted((row for row in view["rows"] if row["apart"] == "beyond_capacity"), key=lambda row: -row["score"])
    assert names(one, "beyond_capacity")[:50] == [row["name"] for row in best[:50]]
    one.fill("#q", "04321")
    one.wait_for_timeout(300)
    assert names(one, "beyond_capacity") == [view["rows"][4321]["name"]]


@pytest.mark.parametrize("language", ["fr", "de"])
def test_the_page_speaks_other_languages(opened: Opener, language: str) -> None:
    one = opened(list_page(views.view(20, 6, language=language)))
    assert one.get_attribute("html", "lang") == language
    one.locator("tbody button.name").first.click()
    told = one.inner_text("body")
    for english in ("Why this chance", "customers", "Search", "Call note", "not measured", "Show all"):
        assert english not in told


def test_a_page_that_asks_runs_or_breaks_its_policy_would_be_seen(browser: Browser, tmp_path: Path) -> None:
    """The control of what ``opened`` watches: a foreign picture is a request, a foreign script is refused aloud."""
    policy = LIST.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0]
    foreign = '<img src="http://example.invalid/x.png">'
    heard: dict[str, list[str]] = {"asked": [], "said": []}
    for number, head in enumerate(("", f'<meta http-equiv="Content-Security-Policy" content="{policy.replace("&#39;", chr(39))}">')):
        path = tmp_path / f"{number}.html"
        path.write_text(f"<!doctype html>{head}{foreign}<script>console.log('ran')</script>", encoding="utf-8")
        one = browser.new_page()
        one.on("request", lambda request: heard["asked"].append(request.url))
        one.on("console", lambda message: heard["said"].append(message.text))
        one.goto(path.as_uri())
        one.close()
    assert any(url.startswith("http://example.invalid") for url in heard["asked"])
    assert heard["said"].count("ran") == 1
    assert sum("Content Security Policy" in text for text in heard["said"]) == 2
