"""Explain one customer, tonight or at a past date: the numbers of the list, their sources, and what would change them."""

from __future__ import annotations

from pathlib import Path

from prevenance.base import formats
from prevenance.base.errors import PrevenanceError
from prevenance.publish import dossier, folders
from prevenance.publish.folders import write_status
from prevenance.runs.customer import Asked, basis_of, check, explained, loaded
from prevenance.runs.noted import noted_each
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.track.tracking import tracked_champion
from prevenance.words import words


def explain_customer(given: Settings, each: list[Settings], steps: Steps) -> None:
    """Explain ``customer`` for the chosen target, or for every target that has a champion; write ``<out>/explain/<target>/<cutoff>/``."""
    if not given.customer:
        raise PrevenanceError(
            "E202", "customer is not set", key="customer", fix="add customer=<an id as in column customer_id of list.csv>"
        )
    asked, spoken = Asked(given.customer, given.product or None), words(given.language)
    chosen = [one for one in each if tracked_champion(Path(given.out), one.target.name)] or each[:1]
    if asked.product is not None:
        chosen = [one for one in chosen if one.target.kind in ("offer", "family")] or chosen
    results = {}
    read = loaded(given, steps)
    for one in chosen:
        inputs, found = read(one)
        check(inputs, asked)
        told = explained(one, basis_of(one, inputs, found, steps), asked, spoken)
        folder = Path(given.out) / "explain" / one.target.name / formats.stamp(inputs.as_of)
        files = {
            f"{asked.digest}.json": formats.canonical(told),
            f"{asked.digest}.html": dossier.dossier_page(told, spoken).encode(errors="replace"),
            f"{asked.digest}.customer.html": dossier.customer_page(told, spoken).encode(errors="replace"),
        }
        folders.write_files(folder, files)
        steps.tell(dossier.dossier_text(told, str(folder), spoken))
        results[one.target.name] = str(folder)
    noted_each(Path(given.out), "explain", results)
    write_status(Path(given.out), {"pipeline": "explain", "outcome": "explained", "exit": 0, "targets": results})
