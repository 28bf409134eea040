"""The documentation: everything that can be set, read, called or met stands on its page, the site is whole, and the README is short and true."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import shutil
import sys
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import pytest

import prevenance
from pipelines.start.compose import settings_of
from prevenance.features.catalogue import feature_catalogue
from prevenance.judge import metrics
from prevenance.models import estimators
from prevenance.runs.command_words import command_words
from prevenance.runs.settings.keys import WORDS, group_choices, setting_keys
from prevenance.runs.settings.schema import Settings
from prevenance.tables.canonical import TABLES
from prevenance.tables.meanings import COLUMN_MEANS, TABLE_MEANS, column_meaning

ROOT = Path(__file__).parent.parent


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    path = list(sys.path)
    found = loaded("build").pages()
    sys.path[:] = path
    return found


def test_the_page_of_tables_is_of_today(pages):
    path = list(sys.path)
    assert loaded("build").tables_page() == (ROOT / "docs" / "tables.md").read_text(encoding="utf-8"), "make docs writes it"
    sys.path[:] = path


def test_everything_stands_on_its_page(pages):
    keys = {re.sub(r"^tables\.\w+\.", "tables.<table>.", key) for key in setting_keys()}
    assert {key for key in keys if f"| `{key}` |" not in pages["reference/settings.md"]} == set()
    for name, table in TABLES.items():
        assert f"\n## {name}\n" in pages["tables.md"]
        assert all(f"| `{column}` |" in pages["tables.md"] for column in table.names)
    assert all(f"| `{one}` |" in pages["reference/features.md"] for one in feature_catalogue()["feature"])
    assert all(f"\n## {one}\n" in pages["reference/commands.md"] for one in command_words())
    for name in set(prevenance.__all__) - {"__version__"}:
        assert f"\n## {name}\n" in pages["reference/api.md"], name
    source = "".join(path.read_text(encoding="utf-8") for name in ("src", "pipelines") for path in (ROOT / name).rglob("*.py"))
    codes = set(re.findall(r"[\"'`](E[1-9]\d\d)\b", source))
    assert len(codes) > 40
    assert {code for code in codes if code not in pages["reference/errors.md"]} == set()
    for name in re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE):
        assert f"\n## {name}\n" in pages["reference/commands.md"] or f"| `make {name}` |" in pages["reference/commands.md"], name
    assert all(
        f"\n## {name}\n" in pages["reference/metrics.md"] or f"`{name}`" in pages["reference/metrics.md"] for name in metrics.METRICS
    )


def test_every_method_and_function_that_is_promised_is_told_with_how_it_is_called(pages):
    text = pages["reference/api.md"]
    classes = {name: one for name in prevenance.__all__ if inspect.isclass(one := getattr(prevenance, name))}
    asked = {f"{name}.{key}" for name, one in classes.items() for key in vars(one) if not key.startswith("_") and callable(vars(one)[key])}
    for module in (prevenance.models, prevenance.testing):
        asked |= {f"{module.__name__.partition('.')[2]}.{key}" for key in module.__all__ if inspect.isfunction(getattr(module, key))}
    asked |= {f"models.estimators.{one.__name__}" for one in estimators.KindClassifier.__subclasses__()}
    assert len(asked) > 30
    assert {name for name in asked if not re.search(rf"^###+ {re.escape(name)}$", text, re.MULTILINE)} == set()


def test_what_is_generated_reads_as_it_should(pages):
    for name, text in pages.items():
        assert text.count("\n```") % 2 == 0, name
        assert re.findall(r"^``\w+$", text, re.MULTILINE) == [], name
        assert re.findall(r"_SupportsArray|<[\w.]+ object at", text) == [], name
    assert (
        "\n```python\naverage_precision(y: ArrayLike, score: ArrayLike, capacity: int = 0) -> float\n```" in pages["reference/metrics.md"]
    )
    assert "words: TargetWords = TargetWords()" in pages["reference/api.md"]
    assert "open(out: str | Path = 'out'" in pages["reference/api.md"]


def test_every_column_means_something():
    named = {(table.name, column) for table in TABLES.values() for column in table.names}
    assert all(len(column_meaning(*one)) > 5 for one in named)
    assert set(TABLE_MEANS) == set(TABLES)
    used = {f"{table}.{column}" if f"{table}.{column}" in COLUMN_MEANS else column for table, column in named}
    assert used == set(COLUMN_MEANS)


def test_every_setting_is_told_with_the_default_that_a_run_takes(pages):
    cells = [re.split(r"(?<!\\) \| ", line.strip("| ")) for line in pages["reference/settings.md"].splitlines() if line.startswith("| `")]
    told = {one[0].strip("`"): one[1:] for one in cells if len(one) == 4}
    assert {re.sub(r"^tables\.\w+\.", "tables.<table>.", key) for key in setting_keys()} == set(told)
    assert [key for key, one in told.items() if len(one[2]) < 10] == []
    assert told["outreach.holdout.share"][2].startswith("of those near the capacity line")
    assert told["table.file"][2].startswith("features=")
    taken = settings_of("train", ["source=ravenstack", "target=churn"])
    for key, one in told.items():
        if re.match(r"(validation|features|model|privacy|demo)\.", key):
            value = attrgetter(key)(taken)
            text = str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)
            shown = ("–",) if value in (None, "", [], {}) else (f"`{text}`", f"see `conf/{key.partition('.')[0]}/`")
            assert one[0] in shown, key


def test_no_page_leads_nowhere(pages):
    for name, text in pages.items():
        assert "TODO" not in text
        for link in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#\s]+)", text):
            if not re.match(r"[a-z]+:", link):
                assert (Path("/") / name).parent.joinpath(link).resolve().as_posix().lstrip("/") in pages, (name, link)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs", reason="mkdocs is not installed: the site is not built")
    pytest.importorskip("material", reason="mkdocs-material is not installed: the site is not built")
    place = tmp_path_factory.mktemp("docs") / "site"
    path = list(sys.path)
    assert loaded("build").main(place) == 0
    sys.path[:] = path
    return place


def test_the_site_is_whole_and_asks_for_nothing(site):
    assets = r"(?:<(?:script|img|iframe)[^>]*\ssrc|<link[^>]*\shref)=\"?(https?://[^\" >]+)"
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        assert not [one for one in re.findall(assets, page.read_text(encoding="utf-8")) if "canonical" not in one], page
    for sheet in site.rglob("*.css"):
        assert not re.findall(r"(?:@import|url\()\s*[\"']?(?:https?:)?//[^)\"']+", sheet.read_text(encoding="utf-8")), sheet


def written() -> dict[str, str]:
    shown = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "SECURITY.md",
        ROOT / "bench" / "README.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in shown}


def test_links_work_in_the_repository_too(pages):
    for name, text in written().items():
        for link in re.findall(r"\]\(([^)#\s]+)", text):
            place = (ROOT / name).parent / link
            own = place.resolve().relative_to(ROOT / "docs").as_posix() if place.resolve().is_relative_to(ROOT / "docs") else ""
            assert re.match(r"[a-z]+:", link) or place.exists() or (own in pages and own.startswith("reference/")), (name, link)


def is_mapping(key: str) -> bool:
    """Tells whether a setting holds keys that only its company knows, such as the owners of ``outreach.hours``."""
    above, _, own = key.rpartition(".")
    group = Settings() if not above else None if above.startswith("tables.") else attrgetter(above)(Settings())
    return group is not None and "dict[" in str(type(group).__dataclass_fields__[own].type)


def unknown_commands(text: str) -> list[str]:
    """Returns the commands that a page shows as code and that are not there, with the keys that they do not have."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    commands = set(command_words()) | {"init", "completion"}
    keys, groups, wrong = set(setting_keys()), group_choices(ROOT / "conf"), []
    mappings = {f"{key}." for key in keys if is_mapping(key)}
    fenced = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    code = "\n".join([*fenced, *re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))])
    asked = [(name, args, targets) for name, args in re.findall(r"\bmake ([a-z-]+)([^\n#]*)", code)]
    asked += [(name, args, commands) for name, args in re.findall(r"(?<!import )\bprevenance ([a-z-]+)([^\n#]*)", code)]
    for name, args, there in asked:
        own = {"source", "data"} if name == "init" else set(WORDS.get(name.replace("-", "_"), {}))
        if name not in there:
            wrong.append(name)
        for key in re.findall(r"(?:^|[\s\"])(?!CONF=)([A-Za-z][\w.]*)=", args.replace("ARGS=", " ")):
            if not (key in keys or key in groups or key in own or any(key.startswith(one) for one in mappings)):
                wrong.append(f"{name} {key}=")
    return wrong


def test_every_command_that_is_shown_is_there():
    assert {name: found for name, text in written().items() if (found := unknown_commands(text))} == {}


@pytest.mark.parametrize(
    ("shown", "found"),
    [
        ("`make trian`", ["trian"]),
        ('`make train ARGS="sorce=demo"`', ["train sorce="]),
        ("```\nmake score ARGS=capacityy=3  # more=1\n```", ["score capacityy="]),
        ("`prevenance scor out=x`", ["scor"]),
        ("`prevenance explain from=2026-01-01`", ["explain from="]),
        ('`make backfill CONF=mine ARGS="from=2026-01-01 outreach.hours.anna=3"`', []),
        ("make sure that what is no code is not read", []),
    ],
)
def test_a_wrong_command_would_be_seen(shown, found):
    assert unknown_commands(shown) == found


def test_the_readme_is_read_in_three_minutes():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = text.split("\n")
    assert len(lines) <= 91
    assert lines.index("<!-- list -->") < 25
    assert all(len(line) < 200 for line in lines)
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / link).exists(), link


@pytest.mark.sweep
def test_the_list_in_the_readme_is_that_of_a_fresh_demo(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{ROOT}")
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    figures = loaded("figures")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert figures.with_block(text, figures.readme_block(figures.printed_lists(tmp_path / "out"), *figures.SHOWN)) == text


def test_the_list_in_the_readme_has_the_shape_that_score_prints():
    figures = loaded("figures")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- list -->\n```\n(.*?)```\n<!-- /list -->", text, re.DOTALL)
    assert block is not None
    lines = block[1].rstrip("\n").split("\n")
    assert re.match(r"LIST      tickets · \d{4}-\d\d-\d\d · the \d+ days ahead · data until", lines[0])
    assert re.match(r"\d+ of \d+ customers to contact", lines[1])
    assert [line.split()[0] for line in lines[3::2]] == ["1", "2"]
    assert all("→" in line for line in lines[4::2])
    printed = "NOTE      x\n" + block[1] + "  3 00001            about 1 in 10\n"
    assert figures.readme_block(printed, *figures.SHOWN) == block[1].rstrip("\n")
    assert figures.with_block(text, block[1].rstrip("\n")) == text


@pytest.mark.long
def test_the_site_opens_from_a_folder_and_its_search_finds_a_setting(site):
    chromium = next((found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None)
    driven = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if chromium is None:
        pytest.skip("no Chromium or Chrome on this machine's PATH: the site is not tried in a browser")
    asked, wrong = [], []
    with driven.sync_playwright() as play:
        started = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"])
        page = started.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((site / "reference" / "settings.html").as_uri())
        page.locator("input[name=query]").focus()
        page.locator(".md-search-result__meta", has_text="Type to start").wait_for(state="attached", timeout=15_000)
        page.locator("input[name=query]").press_sequentially("cooldown_days")  # it hears keys
        page.locator(".md-search-result__item").first.wait_for(state="attached", timeout=15_000)
        found = page.locator(".md-search-result__list").inner_text()
        started.close()
    assert "Settings" in found
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:", "about:"))] == []
    assert wrong == []
