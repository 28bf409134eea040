"""Build the documentation site: ``make docs``. What stands elsewhere already is generated from there; nothing is fetched.

``pages()`` gives every page as text; ``main`` hands them to mkdocs, which refuses a link that leads nowhere.
"""

import importlib
import inspect
import re
import shutil
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src"), str(ROOT / "docs")]

from pieces import doc, signature, table
from settings_page import settings_page

import prevenance
from prevenance import models, testing
from prevenance.features.catalogue import feature_catalogue
from prevenance.judge import metrics
from prevenance.models import estimators
from prevenance.runs.command_words import command_words
from prevenance.tables.canonical import TABLES
from prevenance.tables.meanings import TABLE_MEANS, column_meaning

INCLUDED = {
    "contributing.md": "CONTRIBUTING.md",
    "security.md": "SECURITY.md",
    "changelog.md": "CHANGELOG.md",
    "reference/errors.md": "docs/errors.md",
}
"""Pages that stand in the repository under another name."""


def pages() -> dict[str, str]:
    """Return the path of each page below the site -> its Markdown."""
    written = {path.relative_to(ROOT / "docs").as_posix(): path for path in (ROOT / "docs").rglob("*.md") if path.name != "errors.md"}
    found = {name: path.read_text(encoding="utf-8") for name, path in written.items()}
    found |= {name: (ROOT / path).read_text(encoding="utf-8") for name, path in INCLUDED.items()}
    found |= {
        "upgrading.md": upgrading_page(),
        "reference/commands.md": commands_page(),
        "reference/settings.md": settings_page(),
        "reference/features.md": features_page(),
        "reference/metrics.md": metrics_page(),
        "reference/api.md": api_page(),
    }
    places = {**{path: name for name, path in INCLUDED.items()}, **{f"docs/{name}": name for name in found}}
    origins = {**INCLUDED, **{name: f"docs/{name}" for name in written}}
    return {name: linked(text, name, origins.get(name, f"docs/{name}"), places) for name, text in found.items()}


def linked(text: str, name: str, origin: str, places: dict[str, str]) -> str:
    """Return a page whose links lead to pages of the site; what the site does not have is named, not linked."""

    def target(found: re.Match[str]) -> str:
        words, link = found.groups()
        path, mark, anchor = link.partition("#")
        if not path or re.match(r"[a-z]+:", path):
            return found.group(0)
        place = (ROOT / origin).parent.joinpath(path).resolve()
        own = place.relative_to(ROOT).as_posix() if place.is_relative_to(ROOT) else path
        if own in places:
            up = "../" * name.count("/")
            return f"[{words}]({up}{places[own]}{mark}{anchor})"
        return (
            found.group(0)
            if own.startswith("docs/") and place.suffix in (".png", ".svg")
            else f"{words} (`{own}`)"
            if own not in words
            else words
        )

    return re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", target, text)


def upgrading_page() -> str:
    """Return what users must change, release by release."""
    parts = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    told = []
    for part in parts:
        if found := re.search(r"^### What you must change\n(.*?)(?=^### |\Z)", part, re.MULTILINE | re.DOTALL):
            told.append(f"## {part.splitlines()[0]}\n\n{found.group(1).strip()}")
    return "# Upgrading\n\n" + "\n\n".join(told) + "\n"


def commands_page() -> str:
    """Return every command with its main settings, files and exit codes, and what make has besides."""
    makefile = re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    text = '# Commands\n\nEach is `make <command> ARGS="key=value …"` in a checkout, and `prevenance <command> key=value …` where it is installed.\n'
    for name, one in command_words().items():
        text += f"\n## {name}\n\n{one.line[0].upper()}{one.line[1:]}. {one.about}\n\n    prevenance {one.example}\n\n"
        text += table(
            ("setting", "what it is", "such as"), [(f"`{key}`", meaning, f"`{example}`") for key, meaning, example in one.settings]
        )
        text += "\nWrites, below `out`: " + "; ".join(one.writes) + ".\n\n" + table(("exit code", "means"), one.codes)
    own = [(f"`make {name}`", line) for name, line in makefile if name not in command_words()]
    return text + "\n## Of a checkout alone\n\n" + table(("command", "does"), own)


def tables_page() -> str:
    """Return every canonical table with its columns."""
    text = "# Tables\n\nEvery table is a log: a row is something that happened (`event_at`) and was known (`known_at`). A source gives those it has, one select each.\n"
    text += "`needed` columns must be in the select; the others may be left out. `known_at` may be left out where `delay_days` is said.\n"
    for name, one in TABLES.items():
        same = (
            "Two rows that are equal in every column are one. "
            if one.once
            else "Equal rows are facts of their own, unless the select gives `_id`. "
        )
        key = (
            f"Two with the same {', '.join(f'`{part}`' for part in one.key)} and other content contradict each other: both are set apart."
            if one.key
            else ""
        )
        rows = [
            (f"`{col.name}`", column_meaning(name, col.name), col.kind, "yes" if col.required else "", column_rule(col))
            for col in one.columns
        ]
        means = TABLE_MEANS[name]
        text += f"\n## {name}\n\n{means[0].upper()}{means[1:]}. {(same + key).strip()}\n\n" + table(
            ("column", "what it means", "kind", "needed", "rule"), rows
        )
    return text


def column_rule(column: Any) -> str:
    """Return what a value of a column must be."""
    bounds = (
        " to ".join("" if one is None else f"{one:g}" for one in (column.low, column.high))
        if column.low is not None or column.high is not None
        else ""
    )
    parts = [", ".join(f"`{one}`" for one in column.choices), bounds.strip(), "personal, never printed" if column.personal else ""]
    return "; ".join(one for one in parts if one)


def features_page() -> str:
    """Return every feature with phrase, lookback, table and what null means, by set."""
    text = "# Features\n\nWindows are `(cutoff - lookback, cutoff]` in both clocks. A table that the source does not give has no features: there is "
    text += "no column at all. Where `privacy.retention` takes older rows away, what looks back further is null. The phrase is what a manager reads.\n"
    for name, rows in feature_catalogue().groupby("set", sort=False):
        shown = [
            (
                f"`{one.feature}`",
                re.sub(r"\{[^}]*\}", "…", one.phrase),
                one.tables,
                "" if pd.isna(one.lookback_days) else f"{one.lookback_days} d",
                one.value + (f", where `{one.where}`" if one.where else ""),
                one.null_means,
            )
            for one in rows.itertuples()
        ]
        text += f"\n## {name}\n\n" + table(("feature", "phrase", "table", "lookback", "value", "null means"), shown)
    return text


def metrics_page() -> str:
    """Return every metric of a report with what it says."""
    text = "# Metrics\n\nEach is measured in every test period and pooled over them; intervals are two-sided 90 %, drawn by customer.\n"
    functions = {
        name: one
        for name, one in vars(metrics).items()
        if inspect.isfunction(one) and one.__module__ == metrics.__name__ and not name.startswith("_")
    }
    text += "\nIn a report: " + ", ".join(f"`{name}`" for name in metrics.METRICS) + ".\n"
    return text + "".join(function_text(name, one, "##") for name, one in functions.items())


def api_page() -> str:
    """Return every public name with its signature and docstring, and those of its methods."""
    text = f"# The public API\n\n`import prevenance as pv`. What stands here is promised; everything else may move.\n\n{inspect.getdoc(prevenance)}\n".replace(
        "::\n", ":\n"
    )
    for name in prevenance.__all__:
        one = getattr(prevenance, name)
        if name == "features":
            text += function_text("features", feature_catalogue, "##")
        elif inspect.isclass(one):
            text += class_text(name, one)
        elif callable(one):
            text += function_text(name, one, "##")
    for module, title in ((models, "models"), (testing, "testing")):
        text += f"\n## {title}\n\n{inspect.getdoc(module)}\n"
        text += "".join(
            function_text(f"{title}.{name}", getattr(module, name), "###")
            for name in module.__all__
            if inspect.isfunction(getattr(module, name))
        )
    kinds = [one for one in vars(estimators).values() if inspect.isclass(one) and issubclass(one, estimators.KindClassifier)]
    return text + "\n## The kinds as classifiers\n" + "".join(class_text(f"models.estimators.{one.__name__}", one, "###") for one in kinds)


def class_text(name: str, one: type, level: str = "##") -> str:
    """Return a class with its public methods and properties."""
    text = f"\n{level} {name}\n\n```python\n{name}{signature(one)}\n```\n\n{doc(one)}\n"
    for key, member in vars(one).items():
        inner = member.fget if isinstance(member, property) else member.func if isinstance(member, cached_property) else member
        if not key.startswith("_") and inspect.isfunction(inner):
            shown = f"`.{key}`" if inner is not member else f"`.{key}{signature(inner)}`"
            text += f"\n{level}# {name}.{key}\n\n{shown}\n\n{doc(inner)}\n"
    return text


def function_text(name: str, one: Any, level: str) -> str:
    """Return a function with its signature."""
    return f"\n{level} {name}\n\n```python\n{name}{signature(one)}\n```\n\n{doc(one)}\n"


def main(site: Path) -> int:
    """Write the site to ``site`` and return mkdocs' exit status; it warns of nothing, because a warning is an error."""
    try:
        build = importlib.import_module("mkdocs.commands.build")
        config = importlib.import_module("mkdocs.config")
    except ModuleNotFoundError:
        print("mkdocs is not installed here: .venv/bin/pip install 'prevenance[docs]', or make setup in a checkout")
        return 2
    # one page is kept in the repository: who brings tables of their own reads it before anything is built
    (ROOT / "docs" / "tables.md").write_text(tables_page(), encoding="utf-8")
    work = site.parent / ".docs-pages"
    shutil.rmtree(work, ignore_errors=True)
    for name, text in pages().items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text, encoding="utf-8")
    for path in [*(ROOT / "docs").glob("*.png"), ROOT / "docs" / "iframe-worker.js", *(ROOT / "docs" / "night").glob("*")]:
        if path.suffix != ".md" and path.is_file():
            shutil.copy(path, work / path.relative_to(ROOT / "docs"))
    build.build(config.load_config(str(ROOT / "mkdocs.yml"), docs_dir=str(work), site_dir=str(site), strict=True))
    shutil.rmtree(work)
    print(f"{site}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/docs").resolve()))
