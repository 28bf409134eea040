"""What the rows of published lists say: reasons that are none, one story told twice, the same action for everybody, words.

    python -m bench.rows --page out/lists/churn/latest/list.json out/lists/tickets/latest/list.json

Reads lists in English, those of earlier versions too. Of a list of people to keep, a reason is an improvement where its number went the way that
its definition calls good; on any list it is no change where both numbers read the same. Only ranked rows count; ``--first`` of them.
``--page`` opens the page beside each list: words above the rows, customers on the first screen (1280 x 900), pages that they take on paper, height of the cards of
a phone (390 wide).
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from prevenance.explain.facts import wordings
from prevenance.explain.usual import with_means
from prevenance.features import definitions
from prevenance.targets import KINDS

NUMBER = r"[+−-]?\d[\d,]*(?:\.\d+)?"
NOTHING = ("No single fact stands out", "Nothing stands out")
BOXES = "[...document.querySelectorAll('section[data-group=listed] tbody')].map((one) => one.getBoundingClientRect())"
KEEPING = {make().name for make in KINDS.values() if make().told_by == "worse"}
"""Targets whose reasons are told by what is worse."""


def beginnings() -> list[tuple[str, str, str | None]]:
    """Return (beginning of a phrase, its family, which way is bad), the longest first; a number of days counts as any."""
    found: dict[str, tuple[str, str | None]] = {}
    for one in wordings(with_means(definitions())).values():
        stem = re.sub(r"( in)? (\{days\}|\d+) days.*|\{.*", "", one.phrase).rstrip(" :")
        if stem:
            found.setdefault(stem, (one.family, one.worse))
    return sorted(((stem, *told) for stem, told in found.items()), key=lambda one: -len(one[0]))


BEGINNINGS = beginnings()


def about(text: str) -> tuple[str, str | None]:
    """Return the family of a reason and which way of it is bad."""
    return next((told for stem, *told in BEGINNINGS if text.startswith(stem)), ("?", None))  # type: ignore[return-value]


def pair(text: str) -> tuple[float, float] | None:
    """Return the number now and the one it is compared with; None for a reason without a comparison."""
    plain = re.sub(r"in (the first )?\d+ days|of \d+ days|than \d+ hours|22:00|06:00", "", text)
    usual = re.search(r"\((?:usually|similar customers:|28 days before:) ([^)]*)\)", plain)
    arrow = re.search(rf"({NUMBER}) → ({NUMBER})", plain)
    change = re.search(rf"({NUMBER}) against", plain)
    if arrow:
        return value(arrow[2]), value(arrow[1])
    if usual:
        return value(plain[: usual.start()]), value(usual[1])
    return (value(change[1]), 0.0) if change else None


def value(text: str) -> float:
    """Return the first number of a text, nought where it says none."""
    found = re.search(NUMBER, text)
    return float(found[0].replace(",", "").replace("−", "-")) if found else 0.0


def measured(rows: Sequence[Mapping[str, Any]], plays: Sequence[str] = ()) -> dict[str, str]:
    """Return what the ranked rows of one list say, as texts by what is counted; an action that names things is counted by its play where it is known."""
    keeping = rows[0]["target"] in KEEPING if rows else False
    told = [[text for text in str(row["reasons"] or "").split("; ") if text and text not in NOTHING] for row in rows]
    every = [text for texts in told for text in texts]
    pairs = [(text, pair(text)) for text in every]
    same = sum(found is not None and found[0] == found[1] for _, found in pairs)
    better = sum(keeping and found is not None and (found[0] - found[1]) * _sign(about(text)[1]) < 0 for text, found in pairs)
    twice = sum(len({about(text)[0] for text in texts}) < len(texts) for texts in told)
    noughts = sum(
        bool(
            re.search(
                r"(?<![\d.,])[+−-]?0(\.0+)?(?![\d.,%])",
                re.sub(r"06:00|22:00|(?<=: )0(\.0)?(?= \()" if re.search("score|rating", text) else "06:00|22:00", "", text),
            )
        )
        for text in every
    )
    actions = Counter(plays or [str(row["action"] or "") for row in rows])
    words_ = [len(" ".join(str(row[name] or "") for name in ("reasons", "holds", "action")).split()) for row in rows]
    common = actions.most_common(1)[0][1] if actions else 0
    return {
        "rows": f"{len(rows)}",
        "reasons": f"{len(every)}",
        "improvements": f"{better} ({_share(better, len(every))})" if keeping else "–",
        "no change": f"{same} ({_share(same, len(every))})",
        "without a comparison": f"{sum(found is None for _, found in pairs)}",
        "with a nought": f"{noughts}",
        "rows of one family twice": f"{twice}",
        "rows with nothing to tell": f"{sum(not texts for texts in told)}",
        "different actions": f"{len(actions)}",
        "most frequent action": f"{_share(common, len(rows))}",
        "words a row": f"{statistics.median(words_):.0f}" if words_ else "–",
    }


def page_measures(browser: Browser, page: Path) -> dict[str, str]:
    """Return what a written list takes of a screen, of paper and of a phone."""
    one = browser.new_page(viewport={"width": 1280, "height": 900})
    one.goto(page.resolve().as_uri(), wait_until="load")
    words_ = len(" ".join(one.locator("header .banner, header .brief dd").all_inner_texts()).split())
    seen = one.evaluate(f"{BOXES}.filter((box) => box.bottom <= innerHeight).length")
    one.evaluate("dispatchEvent(new Event('beforeprint'))")
    one.evaluate("document.querySelectorAll('section.group:not([data-group=listed])').forEach((other) => other.remove())")
    pages = len(re.findall(rb"/MediaBox", one.pdf(prefer_css_page_size=True)))
    phone = browser.new_page(viewport={"width": 390, "height": 844})
    phone.goto(page.resolve().as_uri(), wait_until="load")
    tall = phone.evaluate(f"(() => {{ const every = {BOXES}.slice(0, 20); return every.at(-1).bottom - every[0].top; }})()")
    one.close(), phone.close()
    return {
        "words above the rows": f"{words_}",
        "customers on the first screen": f"{seen}",
        "printed pages": f"{pages}",
        "20 cards on a phone, px": f"{tall:.0f}",
    }


def _sign(way: str | None) -> int:
    return {"more": 1, "less": -1}.get(str(way), 0)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else "–"


def opened_browser(stack: ExitStack, chromium: str) -> Browser:
    """Return a browser that closes with ``stack``."""
    started = stack.enter_context(sync_playwright()).chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
    stack.callback(started.close)
    return started


def column(path: Path, first: int, browser: Browser | None) -> tuple[str, dict[str, str]]:
    """Return a list's target and what its first rows, and its page, say."""
    ranked = [row for row in json.loads(path.read_text(encoding="utf-8")) if row["rank"] is not None]
    told = path.parent / "plays.csv"
    known = dict(list(csv.reader(told.open(encoding="utf-8", newline="")))[1:]) if told.is_file() else {}
    plays = [known[row["customer_id"]] for row in ranked[:first]] if known else []
    found = measured(ranked[:first], plays)
    if browser:
        found |= page_measures(browser, path.parent / "list.html")
    return ranked[0]["target"] if ranked else path.parent.name, found


def main() -> None:
    """Print one column for each list."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("lists", nargs="+", type=Path)
    asked.add_argument("--first", type=int, default=20)
    asked.add_argument("--page", action="store_true")
    asked.add_argument("--chromium", default="/usr/bin/chromium")
    given = asked.parse_args()
    with ExitStack() as stack:
        browser = opened_browser(stack, given.chromium) if given.page else None
        columns = [column(path, given.first, browser) for path in given.lists]
    print("".join([f"{'':30}", *(f"{name[:16]:>18}" for name, _ in columns)]))
    for name in columns[0][1]:
        print("".join([f"{name:30}", *(f"{found[name]:>18}" for _, found in columns)]))


if __name__ == "__main__":
    main()
