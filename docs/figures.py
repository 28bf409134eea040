"""The list that the README shows and the pictures in docs/, from a demo that is trained and scored for them: ``make docs-figures``."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHOWN = ("tickets", 2)
"""The list, and how many of its rows."""


def readme_block(printed: str, target: str, rows: int) -> str:
    """Return the beginning of a target's list as ``make score`` printed it, with its first ``rows`` customers."""
    lines = printed.split("\n")
    start = next(place for place, line in enumerate(lines) if line.startswith(f"LIST      {target} "))
    numbered = [place for place in range(start, len(lines)) if re.match(r" *\d+ ", lines[place]) and place > start + 1]
    end = next((place for place in numbered[rows:]), start + 3 + 2 * rows)
    return "\n".join(line.rstrip() for line in lines[start:end])


def with_block(readme: str, block: str) -> str:
    """Return the README with the block between its markers."""
    return re.sub(
        r"(<!-- list -->\n```\n).*?(```\n<!-- /list -->)", lambda found: f"{found[1]}{block}\n{found[2]}", readme, flags=re.DOTALL
    )


def picture(page: Path, place: Path, height: int) -> None:
    """Write a picture of the first screen of a page."""
    from playwright.sync_api import sync_playwright

    browser = next(found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name)))
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        tab = started.new_page(viewport={"width": 1280, "height": height})
        tab.goto(page.as_uri())
        tab.screenshot(path=str(place))
        started.close()


def printed_lists(out: Path) -> str:
    """Train and score the default demo below ``out`` and return what the scoring printed."""
    run = [sys.executable, "-m"]
    subprocess.run([*run, "pipelines.train", f"out={out}"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return subprocess.run([*run, "pipelines.score", f"out={out}"], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main() -> None:
    """Train and score the default demo in a folder that goes away, and write what is shown of it."""
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "out"
        printed = printed_lists(out)
        readme = ROOT / "README.md"
        readme.write_text(with_block(readme.read_text(encoding="utf-8"), readme_block(printed, *SHOWN)), encoding="utf-8")
        picture((out / "lists" / "churn" / "latest").resolve() / "list.html", ROOT / "docs" / "list.png", 900)
        picture(out / "train" / "churn" / "report.html", ROOT / "docs" / "report.png", 900)


if __name__ == "__main__":
    main()
