"""Where a customer or a ticket is looked up: addresses of the team's own tools, made from ``source.links``.

Nothing is asked of them until somebody clicks. An id is encoded whole, so it can name no other place than the template says.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from string import Formatter
from typing import Any
from urllib.parse import quote, urlsplit

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.publish.cells import Row, View

PLACES: Mapping[str, tuple[str, ...]] = {"customer": ("customer_id",), "ticket": ("ticket_id", "customer_id")}
"""What a link may lead to -> the placeholders of its address; the first one must stand in it."""
EXAMPLES = {"customer": "https://crm.example/{customer_id}", "ticket": "https://desk.example/tickets/{ticket_id}"}
LONGEST = 2000
"""Characters of an address: spreadsheets take 2,079."""
_PLAIN = re.compile(r"[A-Za-z0-9\-._~:/?#@!$&'*+,;=%{}]+")
"""What an address may be written with: nothing that ends an attribute, a cell or a link in Markdown."""


def check_links(links: Mapping[str, Any]) -> None:
    """Raise E201 for a link of something else, or with a placeholder that is not there; E202 for an address that cannot be."""
    for name, address in links.items():
        key = f"source.links.{str(name)[:40]}"
        if name not in PLACES:
            raise PrevenanceError("E201", "no link leads there", key=key, fix=did_you_mean(str(name), PLACES))
        fix = f"set '{key}=\"{EXAMPLES[name]}\"'"
        wrong = _trouble(address)
        if wrong:
            raise PrevenanceError("E202", wrong, key=key, fix=fix)
        for field in _placeholders(address):
            if field not in PLACES[name]:
                what = f'its address asks for "{field[:40]}"'
                raise PrevenanceError("E201", what, key=key, fix=did_you_mean(field, PLACES[name]))
        if PLACES[name][0] not in _placeholders(address):
            raise PrevenanceError("E202", f"its address names no {{{PLACES[name][0]}}}: it is the same for all", key=key, fix=fix)


def _trouble(address: object) -> str:
    """Return what is wrong with an address by itself, without printing it: it may hold a secret."""
    if not isinstance(address, str) or not address:
        return "its address is no text"
    if not _PLAIN.fullmatch(address) or len(address) > LONGEST:
        return "its address holds a character that no address is written with (write spaces as %20), or is too long"
    try:
        parts, fields = urlsplit(address), list(Formatter().parse(address))
        _ = parts.port
    except ValueError:
        return "its address cannot be read"
    if parts.scheme not in ("http", "https"):
        return "its address begins with neither https:// nor http://"
    if not parts.hostname or not re.fullmatch(r"[a-z0-9.\-]+", parts.hostname) or "@" in parts.netloc:
        return "its address needs a plain host, without a name, a password or a placeholder in it"
    return "a placeholder is written {name} and nothing more" if any(spec or how for _, _, spec, how in fields) else ""


def _placeholders(address: str) -> list[str]:
    return [field for _, field, _, _ in Formatter().parse(address) if field is not None]


@lru_cache(maxsize=64)
def _usable(name: str, address: str) -> bool:
    try:
        check_links({name: address})
    except PrevenanceError:
        return False
    return True


def _address(view: View, name: str, **ids: Any) -> str:
    """Return where something is looked up; empty where no link is set, or an id cannot stand in an address."""
    # A view may be anybody's file: what it gives is looked at again.
    template = (view.get("addresses") or {}).get(name)
    if not isinstance(template, str) or not _usable(name, template):
        return ""
    # Browsers take a part of dots alone for the folder above, encoded or not.
    if any(value is None or not str(value).strip(". ") for value in ids.values()):
        return ""
    made = template.format(**{key: quote(str(value), safe="", errors="replace") for key, value in ids.items()})
    return made if len(made) <= LONGEST else ""


def customer_address(view: View, row: Row) -> str:
    """Return where a row's customer is looked up; empty for nowhere."""
    return _address(view, "customer", customer_id=row.get("customer_id"))


def ticket_addresses(view: View, row: Row) -> dict[str, str]:
    """Return number -> address of the tickets that a row's action names."""
    numbers = [one for one in str(row.get("ticket_ids") or "").split(chr(31)) if one]
    told = {one: _address(view, "ticket", ticket_id=one, customer_id=row.get("customer_id")) for one in numbers}
    return {one: to for one, to in told.items() if to}


def linked_parts(text: str, addresses: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Return a text in pieces, each with the address it leads to, empty for none.

    >>> linked_parts("See 12 and 123", {"12": "a", "123": "b"})
    [('See ', ''), ('12', 'a'), (' and ', ''), ('123', 'b')]
    """
    if not addresses:
        return [(text, "")]
    wanted = "|".join(re.escape(one) for one in sorted(addresses, key=len, reverse=True))
    return [(piece, addresses.get(piece, "")) for piece in re.split(rf"(?<!\w)({wanted})(?!\w)", text) if piece]
