"""Write the demo company's files, as a company would export them."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from pipelines.run import Steps
from pipelines.run import main as run
from pipelines.settings import Settings


def body(given: Settings, steps: Steps) -> None:
    """Write the files to ``data`` (default ``<out>/demo``) and say how many rows each has."""
    from prevenance.sources.demo import write

    folder = Path(given.data) if given.data else Path(given.out) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    facts = write(folder, **asdict(given.demo))
    steps("")
    print(f"wrote the demo company to {folder}: " + ", ".join(f"{name} {rows:,}" for name, rows in facts.items() if isinstance(rows, int)))


def main() -> None:
    """Run the pipeline from the command line."""
    run("demo", body)


if __name__ == "__main__":
    main()
