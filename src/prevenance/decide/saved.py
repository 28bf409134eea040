"""A file of answers that a spreadsheet has saved: other separators and alphabets, days written its way, ids without their zeros."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

DAY = r"(\d{1,2})\.(\d{1,2})\.(\d{4})"
"""A day as spreadsheets write it in German; with slashes nobody can tell day from month."""


def text_and_separator(content: bytes) -> tuple[str, str]:
    """Return the text of a saved file and the sign between its cells; ``UnicodeDecodeError`` for bytes that no spreadsheet writes."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:  # "CSV" without more is Windows' own alphabet
            text = content.decode("cp1252")
    head = re.split(r"[\r\n]", text, maxsplit=1)[0]
    return text, max((",", ";", "\t"), key=head.count)


def plain_day(text: str) -> str:
    """Return a day as ISO 8601 writes it, where it is one of a spreadsheet; else the text as it is."""
    found = re.fullmatch(DAY, text)
    return f"{found[3]}-{int(found[2]):02d}-{int(found[1]):02d}" if found else text


def plain_moment(text: str, zone: str) -> str:
    """Return a time of a spreadsheet, which says no zone and is that of ``zone``, as an instant in UTC; else the text as it is."""
    found = re.fullmatch(rf"{DAY} (\d{{1,2}}:\d\d(?::\d\d)?)", text)
    if not found:
        return text
    try:
        local = datetime.fromisoformat(f"{plain_day(text.partition(' ')[0])} {found[4]:0>5}")
    except ValueError:
        return text
    return f"{local.replace(tzinfo=ZoneInfo(zone or 'UTC')).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def ids_without_zeros(ids: Iterable[str]) -> dict[str, str]:
    """Return, for ids of digits that a spreadsheet would take for numbers, what it leaves of each -> the id, where only one leaves that."""
    plain = {one: one.lstrip("0") for one in set(ids) if one.isdigit() and one.startswith("0")}
    often = Counter(plain.values())
    return {left: one for one, left in plain.items() if often[left] == 1}
