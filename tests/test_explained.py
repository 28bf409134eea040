"""Explain says what the list says, to the last digit; the view tells everything and changes nothing; nobody opted out is explained."""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shelves
from amount import some

from pipelines import explain, score
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.decide.playbook import NEVER
from prevenance.explain.details import Basis
from prevenance.explain.reasons import nothing_text
from prevenance.publish import dossier, folders
from prevenance.publish.published import published_list_at, published_lists, published_lists_before
from prevenance.runs import explain as runs_explain
from prevenance.runs.explain import Asked, basis_of, check_known, explanation
from prevenance.runs.inputs import Inputs
from prevenance.runs.settings.schema import Settings
from prevenance.runs.steps import Steps
from prevenance.words import LANGUAGES, words

pytestmark = pytest.mark.long

TARGETS = ("churn", "tickets", "cross_sell")
HOSTILE = [
    "o'brien",
    'say "hi"',
    "../../etc/passwd",
    "a\nb",
    "-5",
    "007",
    "1e5",
    "null",
    "${oc.env:HOME}",
    "=1+1",
    "x" * 40_000,
    "客戶",
    "a=b,c",
]


def run(name: str, *arguments: str) -> int:
    return _guarded(name, {"score": score.body, "explain": explain.body}[name], list(arguments))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = shelves.company(tmp_path_factory.mktemp("explained") / "out")
    assert run("score", f"out={out}", "target=churn", f"as_of={shelves.TONIGHT}") == 0
    assert run("score", f"out={out}", f"as_of={shelves.LATER}") == 0
    return out


@pytest.fixture(scope="module", autouse=True)
def _read_once() -> Iterator[None]:
    """Let explain read what is known at a date once: nobody here changes a file."""
    held: dict[tuple[object, ...], Inputs] = {}
    load = runs_explain.load_inputs

    def loaded(given: Settings, steps: Steps, **how: Any) -> Inputs:
        asked = (given.out, given.as_of, given.data, tuple(how.items()))
        if asked not in held:
            held[asked] = load(given, steps, **how)
        return held[asked]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs_explain, "load_inputs", loaded)
        yield


@pytest.fixture(scope="module")
def later(company: Path) -> Inputs:
    """What is known on the last date, read once: tests only ask it."""
    return shelves.loaded(company, shelves.LATER)[1]


@pytest.fixture(scope="module")
def basis(company: Path, later: Inputs) -> Basis:
    given = settings_of("explain", [*shelves.SMALL, f"out={company}", "target=churn", "features.sets=[tickets]"])
    return basis_of(given, later, published_list_at(company, "churn", None), shelves.silent(company))


@functools.cache
def explained(company: Path, target: str, customer: str, *more: str) -> tuple[str, str]:
    """Return what explain wrote and what it printed: the same question is asked once."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert run("explain", f"out={company}", f"target={target}", f"customer={customer}", *more) == 0
    found = sorted((company / "explain" / target).glob(f"*/{Asked(customer).digest}.json"), key=lambda path: path.stat().st_mtime_ns)
    return found[-1].read_text(encoding="utf-8"), printed.getvalue()


def told(company: Path, target: str, customer: str, *more: str) -> dict:
    return json.loads(explained(company, target, customer, *more)[0])


@pytest.mark.parametrize(
    ("target", "as_of"), some([("churn", None), ("churn", shelves.TONIGHT), ("tickets", None), ("cross_sell", None)], 0)
)
def test_the_numbers_are_those_of_the_list_to_the_last_digit(company, target, as_of):
    published = published_list_at(company, target, None) if as_of is None else published_lists(company, target)[0]
    with (published.folder / "list.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["customer_id"]: row for row in csv.DictReader(file)}
    judged = [one for one, row in listed.items() if row["score"]]
    for customer in (judged[0], judged[-1]):
        more = [f"as_of={as_of}"] if as_of else []
        found, printed = told(company, target, customer, *more), explained(company, target, customer, *more)[1]
        row = listed[customer]
        assert [repr(found[name]) for name in ("score", "score_low", "score_high")] == [
            row[name] for name in ("score", "score_low", "score_high")
        ]
        assert (found["run_id"], found["model"]["version"], found["row"]["rank"]) == (
            row["run_id"],
            row["model"],
            float(row["rank"]) if row["rank"] else None,
        )
        assert found["check"]["exact"]
        assert found["check"]["same_as_list"] is True
        assert found["list"] == str(published.folder)
        assert found["data_until"].startswith(row["data_until"][:10])
        assert sum(one["log_odds"] for one in found["inputs"]) + found["check"]["base"] == pytest.approx(found["check"]["sum"], abs=1e-9)
        facts = [one["text"] for part in ("reasons", "context") for one in found["details"][part]]
        assert all(text in [*facts, nothing_text(words("en"))] for text in row["reasons"].split("; ") if text)
        assert found["check"]["adds_up_to"] == pytest.approx(found["score"], abs=1e-9)
        assert repr(found["score"]) in printed


def test_inputs_have_values_sources_and_dates(company):
    published = published_list_at(company, "churn", None)
    customer = published.rows["customer_id"].iloc[0]
    found = told(company, "churn", customer)
    own = published.features.set_index("customer_id").loc[customer]
    assert len(found["inputs"]) == len(published.model(company).encoder.features)
    for one in found["inputs"]:
        value = own[one["input"]]
        assert one["value"] == (None if pd.isna(value) else value)
        assert one["table"]
        assert one["newest"] is None or one["newest"] <= f"{published.cutoff.isoformat()}Z"
    assert abs(found["inputs"][0]["log_odds"]) >= abs(found["inputs"][-1]["log_odds"])


def test_without_a_published_list_the_same_code_says_the_same(company, later):
    given = settings_of("explain", [*shelves.SMALL, f"out={company}", "target=tickets", f"as_of={shelves.LATER}"])
    published = published_list_at(company, "tickets", None)
    old, new = (basis_of(given, later, one, shelves.silent(company)) for one in (published, None))
    assert (new.run_id, new.digest, new.folder) == (old.run_id, old.digest, None)
    rows = np.arange(len(new.features))
    pd.testing.assert_frame_equal(new.features.take(rows), old.features.take(rows))
    customer = old.rows["customer_id"].iloc[0]
    first, second = (explanation(given, one, Asked(customer), words("en")) for one in (old, new))
    assert {key: value for key, value in first.items() if key != "list"} == {key: value for key, value in second.items() if key != "list"}


@pytest.mark.parametrize("kind", ["base_rate", "rule", "logistic", "lightgbm", "random_forest", "neural"])
def test_contributions_add_up_for_every_kind_of_model(company, basis, kind):
    from dataclasses import replace

    given = settings_of("explain", [*shelves.SMALL, f"out={company}", "target=churn", "features.sets=[tickets]"])
    tickets = [name for name in basis.features.columns if "ticket" in name and "seat" not in name][:6]
    few = basis.features[["customer_id", "cutoff", *tickets]].head(8)
    model = _learned(few, tickets, kind)
    basis = replace(basis, fitted=model, features=few, rows=basis.rows.iloc[:0])
    for customer in few["customer_id"].head(3):
        found = explanation(given, basis, Asked(customer), words("en"))
        assert found["check"]["difference"] <= 1e-9
        assert found["check"]["same_as_list"] is None


def _learned(few: pd.DataFrame, columns: list[str], kind: str):
    from datetime import datetime, timedelta

    from prevenance.models.folds import Fold
    from prevenance.models.training import fit_model

    draw = np.random.default_rng(3)
    cutoffs = [datetime(2026, 1, 1) + timedelta(days=28 * n) for n in range(3)]
    frame = pd.concat([few[columns].sample(120, replace=True, random_state=n).assign(cutoff=one) for n, one in enumerate(cutoffs)])
    frame = frame.assign(customer_id=[str(n) for n in range(len(frame))], label=(draw.random(len(frame)) < 0.3).astype(float)).reset_index(
        drop=True
    )
    return fit_model(frame, Fold(tuple(cutoffs[:2]), (cutoffs[2],), cutoffs[2] + timedelta(days=200)), kind, columns, seed=7)


def test_hostile_ids_are_taken_to_the_letter_and_go_nowhere(company, later, capsys):
    for customer in HOSTILE:
        with pytest.raises(PrevenanceError, match="E203") as refused:
            check_known(later, Asked(customer), "UTC")
        assert len(refused.value.line()) < 400
        assert "\n" not in refused.value.line()
        given = settings_of("explain", [f"out={company}", "target=churn", f"customer={customer}", f"product={customer}"])
        assert (given.customer, given.product) == (customer, customer)
        assert re.fullmatch("[0-9a-f]{16}", Asked(customer).digest)
    held = sorted(company.parent.rglob("*"))
    for customer in ("../../etc/passwd", "x" * 40_000):
        assert run("explain", f"out={company}", "target=churn", f"customer={customer}") == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert sorted(company.parent.rglob("*")) == held


def test_a_customer_must_be_named(company, capsys):
    assert run("explain", f"out={company}") == 2
    assert "FIX: add customer=" in capsys.readouterr().err
    assert run("score", f"out={company}", "customer=1") == 2


def test_who_has_opted_out_is_not_explained_for_past_dates_either(company, later, capsys):
    hidden = [row[0] for row in later.history.con.execute("select customer_id from canonical._opted_out").fetchall()]
    assert hidden
    for as_of in ([], [f"as_of={shelves.TONIGHT}"], ["as_of=2026-06-20"]):
        assert run("explain", f"out={company}", f"customer={hidden[0]}", "target=churn", *as_of) == 9
        said = capsys.readouterr().err
        assert said.startswith("ERROR E903")
        assert hidden[0] not in said
    assert hidden[0] not in (company / "status" / "explain.json").read_text()
    assert not list(company.glob(f"explain/*/*/{Asked(hidden[0]).digest}*"))


def test_who_is_in_no_cohort_is_told_why(company, later):
    known = [row[0] for row in later.history.con.execute("select distinct customer_id from canonical.customers order by 1").fetchall()]
    inside = set(published_list_at(company, "churn", None).features["customer_id"])
    outside = next(one for one in known if one not in inside)
    found = told(company, "churn", outside)
    assert "no running contract" in found["absent"]
    assert "score" not in found
    assert "no running contract" in explained(company, "churn", outside)[1]


def test_an_offer_can_be_asked_for(company, capsys):
    published = published_list_at(company, "cross_sell", None)
    customer = published.rows["customer_id"].iloc[0]
    products = published.features.loc[published.features["customer_id"] == customer, "product_id"].tolist()
    best = told(company, "cross_sell", customer)
    assert best["product_id"] == published.rows["product_id"].iloc[0]
    other = next(one for one in products if one != best["product_id"])
    found = told(company, "cross_sell", customer, f"product={other}")
    assert (found["product_id"], found["check"]["exact"]) == (other, True)
    each = pd.read_csv(published.folder / "by_product.csv", dtype={"customer_id": "str"}).set_index(["customer_id", "product_id"])
    if (customer, other) in each.index:
        assert found["score"] == each.loc[(customer, other), "score"]
    capsys.readouterr()
    assert run("explain", f"out={company}", "target=cross_sell", f"customer={customer}", "product=nonsense") == 2
    assert "is no offer to this customer" in capsys.readouterr().err


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_customers_page_holds_no_chance_and_never_mentions_leaving(company, basis, language):
    customer = published_list_at(company, "churn", None).rows["customer_id"].iloc[0]
    given = settings_of("explain", [*shelves.SMALL, f"out={company}", "target=churn", f"language={language}"])
    found = explanation(given, basis, Asked(customer), words(language))
    page = dossier.customer_page(found | {"customer_id": "<script>alert(1)</script>"}, words(language))
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert "<script" not in page
    assert not NEVER.search(text)
    assert not re.search(r"score|chance|%|modèle|modell?\b|churn|probab", text, re.IGNORECASE)
    for one in found["held"]:
        assert words(language).number(one["rows"]) in text
    assert f'lang="{language}"' in page


def test_a_page_is_safe_whatever_the_id(company):
    customer = published_list_at(company, "churn", None).rows["customer_id"].iloc[0]
    found = told(company, "churn", customer)
    evil = '<img src=x onerror="alert(1)">'
    page = dossier.dossier_page(found | {"customer_id": evil, "absent": evil, "row": found["row"] | {"name": evil}}, words("en"))
    assert "<img" not in page
    assert "http://" not in page
    assert len(dossier.dossier_text(found | {"customer_id": "x" * 40_000}, "folder", words("en"))) < 12_000


VIEW = (
    *(
        "alerts",
        "decided",
        "unshown",
        "language",
        "currency",
        "target",
        "kind",
        "says",
        "verb",
        "cutoff",
        "date",
        "horizon_days",
        "run_id",
        "model",
        "scored_at",
        "data_until",
    ),
    *(
        "no_model",
        "capacity",
        "week",
        "floor",
        "unit",
        "hours",
        "owners",
        "segments",
        "fits",
        "record",
        "moved",
        "sources",
        "assumed",
        "messages",
        "closest",
        "addresses",
        "used",
        "zone",
        "links",
        "rows",
    ),
)
DETAILS = (
    *(
        "renews_on",
        "last_contact",
        "last_contact_kind",
        "next_contact",
        "country",
        "plan",
        "reasons",
        "context",
        "holds",
        "changed",
        "moved",
        "weeks",
        "marks",
    ),
    *("timeline", "waits", "unknown", "similar", "note", "draft"),
)


@pytest.mark.parametrize("target", some(["churn", "cross_sell"], 0))
def test_a_view_is_complete_and_plain(company, later, target):
    from prevenance.base.formats import csv_bytes
    from prevenance.runs.champion import champion_of
    from prevenance.runs.manifest import manifest_of
    from prevenance.runs.ranked import ranked_list
    from prevenance.runs.snapshots import target_of
    from prevenance.runs.view import view_of

    given = settings_of("score", [*shelves.SMALL, f"out={company}", f"target={target}", f"as_of={shelves.LATER}"])
    inputs = later
    fitted, digest, _ = champion_of(company, target_of(given), inputs.as_of)
    made = ranked_list(given, inputs, fitted, digest, shelves.silent(company))
    manifest = manifest_of(given, inputs, target_of(given), fitted, digest, made, [])
    bytes_before = csv_bytes(made.ranked)
    view = view_of(given, inputs, made, fitted, digest, manifest)
    assert csv_bytes(made.ranked) == bytes_before == (published_list_at(company, target, None).folder / "list.csv").read_bytes()
    assert tuple(sorted(view)) == tuple(sorted(VIEW))
    json.dumps(view, allow_nan=False)
    assert [row["customer_id"] for row in view["rows"]] == made.ranked["customer_id"].tolist()
    for row in view["rows"]:
        assert set(made.ranked.columns) <= set(row)
        assert set(DETAILS) == set(row["details"])
        weeks = row["details"]["weeks"]
        assert len(weeks) == 12
        assert weeks[-1] == row["score"]
        assert len(row["details"]["timeline"]) <= 12
        assert (row["details"]["reasons"] == []) or row["score"] is not None
        assert row["details"]["note"].strip()
        assert row["score"] is None or row["details"]["similar"]["n"] >= 20
    texts = [one["text"] for one in view["rows"][0]["details"]["reasons"] + view["rows"][0]["details"]["context"]]
    assert all(text in [*texts, nothing_text(words("en"))] for text in view["rows"][0]["reasons"].split("; "))
    assert view["fits"]["listed"] == int(made.ranked["rank"].notna().sum())
    assert sum(one["customers"] for one in view["segments"]) == len(made.ranked)
    if target == "churn":
        assert view["moved"]["since"] == local_day(published_lists_before(company, "churn", inputs.as_of)[-1].cutoff, "Europe/Paris")
        told_ = [row["details"]["changed"] for row in view["rows"] if row["details"]["changed"]]
        assert told_
        assert all(one["points"] == pytest.approx(one["data"] + one["model"] + one["calibration"], abs=1e-9) for one in told_)
        hidden = {row[0] for row in inputs.history.con.execute("select customer_id from canonical._opted_out").fetchall()}
        assert not hidden & {one["customer_id"] for one in view["moved"]["gone"]}


def test_the_files_for_people_are_published_and_counted(company):
    for target in TARGETS:
        folder = published_list_at(company, target, None).folder
        manifest = json.loads((folder / "manifest.json").read_text())
        for name in folders.VIEWS:
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == manifest["files"][name]
        counts = manifest["counts"]
        assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
        assert manifest["gates"]["conservation"] == "pass"
    index = (company / "index.html").read_text(encoding="utf-8")
    assert all(f"lists/{target}/latest/list.html" in index for target in TARGETS)


def test_views_may_differ_and_stay_the_rest_may_not(tmp_path):
    files = {"list.csv": b"a", "list.html": b"first"}
    folder = folders.write_bundle(tmp_path / "list", files, {})
    assert folders.write_bundle(folder, files | {"list.html": b"second", "digest.md": b"new"}, {}) == folder
    assert (folder / "list.html").read_bytes() == b"first"
    assert not (folder / "digest.md").exists()
    with pytest.raises(PrevenanceError, match=r"E801.*other content in list\.csv"):
        folders.write_bundle(folder, files | {"list.csv": b"b"}, {})


def test_a_published_file_that_was_changed_is_not_believed(company, tmp_path):
    import shutil

    copy = tmp_path / "out"
    shutil.copytree(company / "lists", copy / "lists", symlinks=True)
    found = published_list_at(copy, "tickets", None)
    (found.folder / "list.json").write_bytes(b"[]\n")
    with pytest.raises(PrevenanceError, match="E801.*not what its manifest says"):
        _ = found.rows
    assert published_list_at(copy, "nothing", None) is None


def test_the_record_is_that_of_lists_whose_time_is_over(company):
    from datetime import timedelta

    from prevenance.judge import outcomes
    from prevenance.runs import headline
    from prevenance.runs.snapshots import target_of

    given = settings_of("score", [*shelves.SMALL, f"out={company}", "target=tickets"])
    _, inputs = shelves.loaded(company, "2026-09-01")
    target, lists = target_of(given), published_lists(company, "tickets")
    found = headline.list_record(given, target, inputs, lists, None, words("en"))
    hidden = {row[0] for row in inputs.history.con.execute("select customer_id from canonical._opted_out").fetchall()}
    rows = lists[0].rows[~lists[0].rows["customer_id"].isin(hidden)].reset_index(drop=True)
    counted = outcomes.outcome_counts(outcomes.outcomes_of_list(inputs.history, target, rows), target, inputs.history.until)
    assert (found["source"], found["hits"], found["outcomes"], found["missed"]) == (
        "lists",
        counted["hits"],
        counted["outcomes"],
        counted["missed"],
    )
    assert target.closes(lists[0].cutoff) < inputs.as_of - timedelta(days=1)
    none = headline.list_record(given, target, inputs, [], None, words("en"))
    assert none["source"] == "none"
    shipped = {"hits": 5, "contacts": 13, "outcomes": 13, "periods": [{}, {}]}
    tested = headline.list_record(given, target, inputs, [], {"shipped": shipped}, words("en"))
    assert [tested[key] for key in ("source", "hits", "contacts", "outcomes", "missed")] == ["backtest", 5, 13, 13, 8]
    older = headline.list_record(given, target, inputs, [], {"tested_as": "rule", "capacity": 8, "periods": [{"rule": 3.0}]}, words("en"))
    assert older["source"] == "none"  # a report of before counts on lists that nobody shipped
    assert io.StringIO(json.dumps(tested))
