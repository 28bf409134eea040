"""Explain one customer, tonight or at a past date: the numbers of the list, their sources, and what would change them."""

from __future__ import annotations

from pathlib import Path

from pipelines.run import Steps, say, targets_of
from pipelines.run import main as run
from pipelines.settings import Settings


def body(given: Settings, steps: Steps) -> None:
    """Explain ``customer`` for the chosen target, or for every target that has a champion; write ``<out>/explain/<target>/<cutoff>/``."""
    from pipelines.audit_log import noted_each
    from pipelines.customer import Asked, basis_of, check, explained, loaded
    from prevenance.errors import PrevenanceError
    from prevenance.tracking import champion
    from prevenance.words import words
    from prevenance.writers import dossier, publish, table
    from prevenance.writers.publish import status

    if not given.customer:
        raise PrevenanceError(
            "E202", "customer is not set", key="customer", fix="add customer=<an id as in column customer_id of list.csv>"
        )
    asked, spoken = Asked(given.customer, given.product or None), words(given.language)
    each = targets_of("explain", given)
    chosen = [one for one in each if champion(Path(given.out), one.target.name)] or each[:1]
    if asked.product is not None:
        chosen = [one for one in chosen if one.target.kind in ("offer", "family")] or chosen
    results = {}
    read = loaded(given, steps)
    for one in chosen:
        inputs, found = read(one)
        check(inputs, asked)
        told = explained(one, basis_of(one, inputs, found, steps), asked, spoken)
        folder = Path(given.out) / "explain" / one.target.name / publish.stamp(inputs.as_of)
        files = {
            f"{asked.digest}.json": table.canonical(told),
            f"{asked.digest}.html": dossier.page(told, spoken).encode(errors="replace"),
            f"{asked.digest}.customer.html": dossier.customer_page(told, spoken).encode(errors="replace"),
        }
        publish.write(folder, files)
        steps("")
        say(dossier.text(told, str(folder), spoken))
        results[one.target.name] = str(folder)
    noted_each(given, "explain", results)
    status(Path(given.out), {"pipeline": "explain", "outcome": "explained", "exit": 0, "targets": results})


def main() -> None:
    """Run the pipeline from the command line."""
    run("explain", body)


if __name__ == "__main__":
    main()
