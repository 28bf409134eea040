"""Every text that people read, in English, French and German side by side, for a native speaker to read.

    python -m bench.texts texts.csv

A text with a form for one and a form for many gives both, parted by " | ".
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from prevenance.words import LANGUAGES, catalogue

OTHERS = [language for language in LANGUAGES if language != "en"]


def text_rows() -> list[list[str]]:
    """Return [English, then each other language], in the order of the catalogues."""
    told = {language: catalogue(language) for language in OTHERS}
    every = dict.fromkeys(text for texts in told.values() for text in texts)
    return [[text, *(_forms(told[language].get(text, "")) for language in OTHERS)] for text in every]


def _forms(found: str | list[str]) -> str:
    return found if isinstance(found, str) else " | ".join(found)


def main() -> None:
    """Write one file: a spreadsheet opens it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("file", type=Path)
    path = asked.parse_args().file
    rows = text_rows()
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([["en", *OTHERS], *rows])
    print(f"{len(rows)} texts in {', '.join(['en', *OTHERS])}: {path}")


if __name__ == "__main__":
    main()
