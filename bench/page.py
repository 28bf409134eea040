"""How long the page of a long list takes to be usable: written in Python, opened in headless Chromium.

    python -m bench.page --rows 5000 --rounds 5

Usable is the end of the page's own script, counted from the beginning of the navigation (performance.timeOrigin): rows stand in the table, buttons answer.
The next paint, a sort, a search and the opening of the group beyond the capacity are timed from the click to the second animation frame after it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from prevenance.publish.page import list_page

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
)
PAINTED = "requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)))"


def timed(one: Page, act: str) -> float:
    """Return the milliseconds from an act to the second frame after it."""
    return float(one.evaluate(f"() => new Promise(done => {{ const start = performance.now(); {act}; {PAINTED}; }})"))


def measured(one: Page, url: str) -> dict[str, float]:
    """Return what one opening took, in milliseconds."""
    one.goto(url, wait_until="commit")
    one.wait_for_selector("html.ready", state="attached")
    told: dict[str, Any] = one.evaluate(
        "() => { const [ready] = performance.getEntriesByName('ready'), [paint] = performance.getEntriesByName('first-contentful-paint');"
        " return {usable: ready.startTime, paint: paint ? paint.startTime : NaN}; }"
    )
    told["sort"] = timed(one, "document.querySelector('th[data-sort=money] button').click()")
    told["open row"] = timed(one, "document.querySelector('tbody button.name').click()")
    beyond = one.locator("section[data-group=beyond_capacity] > details")
    if beyond.count():
        told["open beyond"] = timed(one, "document.querySelector('section[data-group=beyond_capacity] > details').open = true")
        told["sort all"] = timed(one, "document.querySelector('th[data-sort=name] button').click()")
    told["filter"] = timed(one, "document.querySelector('[data-chip=rising]').click()")
    return told


def main() -> None:
    """Measure the page of a list with a capacity of 40, and of one whose every customer is listed."""
    import views

    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=5000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--chromium", default="/usr/bin/chromium")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=given.chromium, args=ARGUMENTS.split())
        for capacity in (40, given.rows):
            view = views.view(given.rows, capacity)
            start = time.perf_counter()
            text = list_page(view)
            spent = time.perf_counter() - start
            path = Path(folder) / f"{capacity}.html"
            path.write_text(text, encoding="utf-8", errors="replace")
            print(f"{given.rows} rows, capacity {capacity}: written in {spent:.2f} s, {path.stat().st_size / 1e6:.1f} MB")
            rounds = []
            for _ in range(given.rounds):
                context = browser.new_context(viewport={"width": 1280, "height": 900})
                rounds.append(measured(context.new_page(), path.as_uri()))
                context.close()
            for name in rounds[0]:
                values = [one[name] for one in rounds]
                print(f"  {name:<12} {statistics.median(values):7.0f} ms  ({min(values):.0f}-{max(values):.0f})")
        browser.close()


if __name__ == "__main__":
    main()
