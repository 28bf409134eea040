"""A checked feature table told on the terminal: the best features, what each is worth, and a verdict in one line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prevenance.publish.wording import number_text, one_line

Report = Mapping[str, Any]

NAME = 28


def leak_check_verdict(report: Report) -> str:
    """Return the verdict on a table in one line."""
    if leaks := report["leakage"]:
        what = "features look like leaks" if len(leaks) > 1 else "features looks like a leak"
        return f"{len(leaks)} of {number_text(report['features'])} {what}: {', '.join(one_line(name, 60) for name in leaks)}"
    if not report["enough"]:
        fewer = min(report["positives"], report["negatives"])
        return f"too few customers to tell: {number_text(fewer)} of the rarer outcome, 20 are needed; nothing is named"
    return f"no feature of {number_text(report['features'])} looks like a leak"


def leak_check_text(report: Report, folder: Path) -> str:
    """Return what the check prints: the table, one verdict line and where the report is."""
    each = "one row each" if report["customer"] is None else f"by {one_line(report['customer'], 40)}"
    head = f"TABLE     {number_text(report['rows'])} rows, {number_text(report['customers'])} customers ({each}), {number_text(report['positives'])} with the outcome"
    notes = [f"{number_text(report['unlabelled'])} rows without a label left out"] if report["unlabelled"] else []
    notes += [f"{len(report['constant'])} constant columns skipped"] if report["constant"] else []
    lines = [" · ".join([head, *notes])]
    if report["measured"]:
        lines.append(f"{'feature':<{NAME}}{'AUC alone':>10}{'with it':>10}{'without':>10}  why named")
    for one in report["measured"]:
        figures = "".join(f"{number_text(one[key], 3):>10}" for key in ("alone", "with_it", "without"))
        lines.append(f"{one_line(one['feature'], NAME - 1):<{NAME}}{figures}  {one_line(one['why'], 200) or '-'}")
    lines.append(f"VERDICT   {report['verdict']}")
    if report["leakage"]:
        lines.append("          Leave it out unless you can show it was known at the cutoff. fail=true makes this exit 6.")
    return "\n".join([*lines, f"FILES     {folder}/report.json"])
