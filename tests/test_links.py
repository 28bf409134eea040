from __future__ import annotations

import io
import re
import zipfile
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import views
from hypothesis import given
from hypothesis import strategies as st

from prevenance.base.errors import PrevenanceError
from prevenance.publish.digest import digest_text
from prevenance.publish.links import check_links, customer_address, linked_parts, ticket_addresses
from prevenance.publish.page import list_page
from prevenance.publish.workbook import workbook_bytes

LINKS = {"customer": "https://crm.example/c/{customer_id}?tab=1", "ticket": "http://desk.example:8080/{customer_id}/{ticket_id}"}
HOSTILE = [
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "../../x",
    "a b",
    "é/ü?#&=%2F",
    ") [x](http://e.invalid",
    "{customer_id}",
    "\ud800",
    "'",
]


class Anchors(HTMLParser):
    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a" and dict(attrs).get("target"):
            self.found.append(dict(attrs))


def linked_view(**first: Any) -> dict[str, Any]:
    view = views.view(8, 4, addresses=LINKS)
    view["rows"][0] |= {"action": "Go through tickets 4711 (import, 19 days) and 47", "ticket_ids": "4711\x1f47", **first}
    return view


@pytest.mark.parametrize("links", [{}, LINKS, {"customer": "https://crm.example/#/x/{customer_id}"}])
def test_addresses_that_can_be_are_taken(links: dict[str, str]) -> None:
    check_links(links)


@pytest.mark.parametrize(
    ("links", "code", "told"),
    [
        ({"custmer": LINKS["customer"]}, "E201", 'did you mean "customer"'),
        ({"customer": "https://crm.example/{custmer_id}"}, "E201", 'did you mean "customer_id"'),
        ({"customer": "https://crm.example/{ticket_id}"}, "E201", 'did you mean "customer_id"|choose one of: customer_id'),
        ({"customer": "javascript:alert({customer_id})"}, "E202", "no address is written with|neither https"),
        ({"customer": "javascript:{customer_id}"}, "E202", "neither https"),
        ({"customer": "//crm.example/{customer_id}"}, "E202", "neither https"),
        ({"customer": "ftp://crm.example/{customer_id}"}, "E202", "neither https"),
        ({"customer": "https://{customer_id}.example/"}, "E202", "plain host"),
        ({"customer": "https://me:hush@crm.example/{customer_id}"}, "E202", "plain host"),
        ({"customer": "https:///{customer_id}"}, "E202", "plain host"),
        ({"customer": "https://crm.example:port/{customer_id}"}, "E202", "cannot be read"),
        ({"customer": "https://crm.example/{customer_id"}, "E202", "cannot be read"),
        ({"customer": "https://crm.example/{customer_id:9}"}, "E202", "a placeholder is written"),
        ({"customer": "https://crm.example/{customer_id!r}"}, "E202", "a placeholder is written"),
        ({"customer": "https://crm.example/"}, "E202", "names no {customer_id}"),
        ({"ticket": "https://crm.example/{customer_id}"}, "E202", "names no {ticket_id}"),
        ({"customer": 'https://crm.example/"{customer_id}'}, "E202", "no address is written with"),
        ({"customer": "https://crm.example/a b/{customer_id}"}, "E202", "no address is written with"),
        ({"customer": 7}, "E202", "is no text"),
        ({"customer": ""}, "E202", "is no text"),
    ],
)
def test_addresses_that_cannot_be_are_refused_and_the_fix_is_taken(links: dict[str, Any], code: str, told: str) -> None:
    with pytest.raises(PrevenanceError, match=re.escape(told) if "|" not in told else told) as caught:
        check_links(links)
    assert caught.value.code == code
    assert "hush" not in str(caught.value)  # an address may hold a secret
    if example := re.search(r'source\.links\.(\w+)="([^"]+)"', caught.value.fix):
        check_links({example[1]: example[2]})


@given(st.text(min_size=1, max_size=30))
def test_an_id_stays_one_part_of_the_address(text: str) -> None:
    told = customer_address({"addresses": LINKS}, {"customer_id": text})
    if not told:
        assert not text.strip(". ")
        return
    parts = urlsplit(told)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("https", "crm.example", "tab=1", "")
    assert parts.path.count("/") == 2
    assert unquote(parts.path.rpartition("/")[2]) == text.encode(errors="replace").decode()


@pytest.mark.parametrize("dots", [".", "..", " .. ", "", None])
def test_an_id_that_names_the_folder_above_leads_nowhere(dots: str | None) -> None:
    assert customer_address({"addresses": LINKS}, {"customer_id": dots}) == ""


def test_an_address_of_a_strange_view_is_looked_at_again() -> None:
    assert customer_address({"addresses": {"customer": "javascript:{customer_id}"}}, {"customer_id": "1"}) == ""
    assert customer_address({"addresses": {"customer": None}}, {"customer_id": "1"}) == ""


@pytest.mark.parametrize("hostile", HOSTILE)
def test_names_and_tickets_lead_to_the_team_s_own_tools_and_nowhere_else(hostile: str) -> None:
    view = linked_view(customer_id=hostile, name=hostile)
    found = Anchors(list_page(view)).found
    assert len(found) == 8 + 2
    for one in found:
        assert one["rel"] == "noopener noreferrer"
        assert urlsplit(str(one["href"])).netloc in ("crm.example", "desk.example:8080")
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(view))) as book:
        told = book.read("xl/worksheets/_rels/sheet1.xml.rels").decode()
    targets = re.findall(r'Target="([^"]*)"', told)
    assert len(targets) == 8 + 1
    assert {urlsplit(one).netloc for one in targets} == {"crm.example", "desk.example:8080"}
    links = re.findall(r"\]\(([^)]*)\)", digest_text(view))
    assert len(links) == 4 + 2
    assert {urlsplit(one).netloc for one in links} == {"crm.example", "desk.example:8080"}


def test_a_ticket_s_number_is_linked_where_it_stands_and_not_within_another() -> None:
    view = linked_view()
    found = ticket_addresses(view, view["rows"][0])
    assert found["47"] == "http://desk.example:8080/00000/47"
    assert [text for text, to in linked_parts(view["rows"][0]["action"], found) if to] == ["4711", "47"]
    assert "](http://desk.example:8080/00000/4711) (import" in digest_text(view).replace("\\", "")


def test_without_addresses_nothing_leads_out() -> None:
    view = linked_view() | {"addresses": {}}
    assert Anchors(list_page(view)).found == []
    assert "](" not in digest_text(view)
    with zipfile.ZipFile(io.BytesIO(workbook_bytes(view))) as book:
        assert "xl/worksheets/_rels/sheet1.xml.rels" not in book.namelist()
