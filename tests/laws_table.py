"""Each law of test_laws.py beside how much it is tried on: ``python -m tests.laws_table``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]


def main() -> None:
    import test_laws
    import worlds
    from hypothesis import settings

    text = Path(test_laws.__file__).read_text(encoding="utf-8")
    features = sum(len(test_laws.builder.feature_columns([one])) for one in test_laws.DEFINITIONS)
    print(
        f"{features} features of {len(test_laws.DEFINITIONS)} definitions, {len(test_laws.TARGETS)} targets, {len(test_laws.EDITS)} edits"
    )
    print(f"{'law':<78}{'databases':>10}{'companies':>10}")
    for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE):
        law = getattr(test_laws, name)
        marks = [mark.args[1] for mark in getattr(law, "pytestmark", []) if mark.name == "parametrize"]
        drawn: settings | None = getattr(law, "_hypothesis_internal_use_settings", None)
        number = drawn.max_examples if drawn else len(marks[0]) if marks else 1
        print(f"{name[5:].replace('_', ' '):<78}{number:>10}{number * worlds.TOGETHER if drawn else number:>10}")


if __name__ == "__main__":
    main()
