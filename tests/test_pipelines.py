"""The two commands end to end: the same bytes twice, every refusal one line with the right exit code, nothing half-written."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import once
import pandas as pd
import pytest
from amount import some, whole

from pipelines import score, train
from pipelines.start.run import _guarded
from prevenance import cli
from prevenance.track import tracking

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
SMALL = ["demo.customers=200", "demo.months=16", "capacity=10", *once.CHEAP, "demo.events=6000", "model.trials=1", "validation.cutoffs=10"]
SMALL += ["features.sets=[tickets,feedback,offers]", "features.lookbacks=[28]"]
"""The smallest company of which trees are learned for two targets: the same bytes are claimed of them too."""


def run(name: str, *arguments: str) -> int:
    return _guarded(name, {"train": train.body, "score": score.body}[name], list(arguments))


def process(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::DeprecationWarning:pipelines", "-m", f"pipelines.{name}", *arguments]
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path} | environment, capture_output=True, text=True, check=False, timeout=1200
    )


def both(train_with: list[str], score_with: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Train and score in one process."""
    code = "import sys; from pipelines import score, train; from pipelines.start.run import _guarded; first, second = map(str.split, sys.argv[1:]); "
    code += "sys.exit(_guarded('train', train.body, first) or _guarded('score', score.body, second))"
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    command = [sys.executable, "-c", code, " ".join(train_with), " ".join(score_with)]
    environment = os.environ | {"PYTHONPATH": path} | environment
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=1200)


@contextmanager
def cores(*, every: bool) -> Iterator[None]:
    """Let what is started inside the block use every core, or one: a worker of the tests keeps to one, and the same bytes are claimed for any number."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1) if every else {min(own)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, own)


TARGETS = ("churn", "tickets", "cross_sell") if whole() else ("tickets",)
"""Trained and scored by processes; trees are learned of tickets in every run."""
OFFERS = (
    (
        *("train", "target=cross_sell", "model=rule", "demo.customers=70", "demo.months=16", "capacity=10", *once.CHEAP),
        *("demo.events=5000", "validation.cutoffs=6", "features.sets=[offers]", "features.lookbacks=[28]"),
    ),
    ("score", "target=cross_sell"),
)
"""A list of offers, from the smallest training that tells them apart."""


def asked() -> list[str]:
    return [] if whole() else [f"target={TARGETS[0]}"]


def digests(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained and scored by processes; the training has every core of the machine."""
    out = tmp_path_factory.mktemp("demo") / "out"
    if not whole():  # the tables of the store are not what is tested
        out.mkdir()
        shutil.copy(once.once("store", once.empty_store) / tracking.STORE, out)
    with cores(every=True):
        done = process("train", *SMALL, *asked(), f"out={out}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    with cores(every=True):
        done = process("score", *asked(), f"out={out}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "reasons" in done.stdout or "Why" in done.stdout or "why" in done.stdout
    return out


@pytest.fixture(scope="module")
def listed(trained: Path) -> dict[str, Path]:
    """Target -> an output folder with its training and its list."""
    if whole():
        return dict.fromkeys(TARGETS, trained)
    return {"churn": once.lived(once.RULED), "tickets": trained, "cross_sell": once.lived(OFFERS)}


def test_every_file_of_the_contract_is_there(listed: dict[str, Path]) -> None:
    for target, out in listed.items():
        for name in ("report.json", "report.html", "model_card.md", "features.parquet"):
            assert (out / "train" / target / name).stat().st_size > 100
        latest = out / "lists" / target / "latest"
        assert latest.is_symlink()
        for name in ("list.csv", "list.json", "features.parquet", "manifest.json"):
            assert (latest / name).is_file()
        assert json.loads((out / "status.json").read_text())["outcome"] == "published"


def test_a_first_report_measures_the_rule_as_the_champion_to_beat(trained: Path) -> None:
    for target in TARGETS:
        models = json.loads((trained / "train" / target / "report.json").read_text())["models"]
        assert models["champion"] == models["rule"]
        assert "champion so far" not in (trained / "train" / target / "report.html").read_text().lower()


def test_a_report_tells_the_seconds_of_its_own_target_and_of_reading(listed: dict[str, Path]) -> None:
    for target, out in listed.items():
        seconds = json.loads((out / "train" / target / "report.json").read_text())["seconds"]
        assert any(name.startswith("read ") for name in seconds)
        assert {name.partition(":")[0] for name in seconds if ":" in name} == {target}


def test_the_inputs_of_a_list_begin_with_its_keys(listed: dict[str, Path]) -> None:
    for target, out in listed.items():
        found = pd.read_parquet(out / "lists" / target / "latest" / "features.parquet")
        assert list(found.columns[:2]) == ["customer_id", "cutoff"]
        assert not {"state", "value_at_stake"} & set(found.columns)


def test_the_list_has_the_columns_of_the_contract_and_reasons(listed: dict[str, Path]) -> None:
    ranked = pd.read_csv(listed["churn"] / "lists" / "churn" / "latest" / "list.csv", dtype={"customer_id": str})
    assert (
        list(ranked.columns)
        == (
            "rank customer_id name owner segment score score_low score_high change_28d value_at_stake expected_value reasons holds action act_by arm state "
            "target cutoff horizon_days model run_id data_until"
        ).split()
    )
    top = ranked[ranked["rank"].notna()]
    assert top["rank"].tolist() == list(range(1, 11))
    assert top["score"].between(0, 1).all()
    assert (ranked["score_low"].fillna(0) <= ranked["score"].fillna(0)).all()
    assert (ranked["score"].fillna(0) <= ranked["score_high"].fillna(0)).all()
    tickets = pd.read_csv(listed["tickets"] / "lists" / "tickets" / "latest" / "list.csv", dtype={"customer_id": str})
    assert tickets.loc[tickets["rank"].notna(), "reasons"].notna().mean() > 0.5
    assert not ranked["customer_id"].duplicated().any()


def test_a_list_of_offers_has_one_offer_a_customer_and_a_list_for_each_product(listed: dict[str, Path]) -> None:
    latest = listed["cross_sell"] / "lists" / "cross_sell" / "latest"
    ranked = pd.read_csv(latest / "list.csv", dtype={"customer_id": str})
    assert list(ranked.columns[-2:]) == ["product_id", "product"]
    assert not ranked["customer_id"].duplicated().any()
    assert ranked["product_id"].notna().all()
    worked = ranked[ranked["rank"].notna()]
    assert all(product in action for product, action in zip(worked["product"], worked["action"], strict=True))
    each = pd.read_csv(latest / "by_product.csv", dtype={"customer_id": str})
    assert each.groupby("product_id")["place"].agg(["min", "max", "size"]).eval("min == 1 and max == size").all()
    best = each.loc[each.groupby("customer_id")["expected_value"].idxmax()].set_index("customer_id")["expected_value"]
    known = worked.set_index("customer_id")["expected_value"].dropna()
    assert (best.reindex(known.index) == known).all()


def test_nothing_is_lost(listed: dict[str, Path]) -> None:
    latest = listed["churn"] / "lists" / "churn" / "latest"
    manifest = json.loads((latest / "manifest.json").read_text())
    counts = manifest["counts"]
    assert counts["customers_read"] == counts["listed"] + sum(counts["excluded"].values()) + sum(counts["quarantined"].values())
    assert counts["excluded"]["opted_out"] > 0
    for table in manifest["tables"].values():
        assert table["read"] == table["used"] + sum(table["excluded"].values()) + sum(table["quarantined"].values())
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((latest / name).read_bytes()).hexdigest() == digest
    assert manifest["privacy"]["purpose"]


def test_same_bytes_under_another_clock_locale_hash_seed_and_row_order(trained: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    data.mkdir()
    for path in (trained / "demo").iterdir():
        if path.suffix == ".csv" and path.name != "product_events.csv.gz":
            lines = path.read_text(encoding="utf-8").split("\n")
            rows = [line for line in lines[1:] if line]
            if '"' not in path.read_text(encoding="utf-8"):
                random.Random(5).shuffle(rows)
            (data / path.name).write_text("\n".join([lines[0], *rows]) + "\n", encoding="utf-8")
        else:
            (data / path.name).write_bytes(path.read_bytes())
    other = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1"}
    with cores(every=False):
        done = both([*SMALL, *asked(), f"out={out}", f"data={data}"], [*asked(), f"out={out}"], **other)
    assert done.returncode == 0, done.stderr
    for target in TARGETS:
        models, others = (json.loads((one / "train" / target / "report.json").read_text())["models"] for one in (trained, out))
        assert models == others
        assert target != "tickets" or "lightgbm" in models, "nothing learned with several threads: this test proves nothing of them"
        assert digests((out / "lists" / target / "latest").resolve()) == digests((trained / "lists" / target / "latest").resolve())
        assert (out / "lists" / target / "latest").resolve().name == (trained / "lists" / target / "latest").resolve().name


@pytest.mark.sweep  # test_fault_65_the_same_night_again_changes_nothing
def test_scoring_twice_changes_nothing(trained: Path) -> None:
    before = {target: (trained / "lists" / target / "latest").resolve() for target in TARGETS}
    first = {target: digests(folder) for target, folder in before.items()}
    assert run("score", f"out={trained}", f"target={TARGETS[-1]}") == 0
    for target, folder in before.items():
        assert (trained / "lists" / target / "latest").resolve() == folder
        assert digests(folder) == first[target]


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list by the rule, to be spoiled."""
    return once.lived_copy(once.RULED, tmp_path_factory.mktemp("ruled") / "out")


@pytest.mark.sweep
def test_an_older_night_does_not_move_latest(ruled: Path) -> None:
    latest = (ruled / "lists" / "churn" / "latest").resolve()
    assert run("score", f"out={ruled}", "target=churn", "as_of=2026-08-01") == 5
    assert (ruled / "lists" / "churn" / "latest").resolve() == latest


def test_a_champion_that_knows_too_much_is_refused(ruled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    latest = (ruled / "lists" / "churn" / "latest").resolve()
    assert run("score", f"out={ruled}", "target=churn", "as_of=2026-01-01") == 5
    assert (ruled / "lists" / "churn" / "latest").resolve() == latest
    line = capsys.readouterr().err
    assert line.startswith("ERROR E503 target=churn — ")
    assert "FIX: " in line


def test_another_source_in_the_same_folder_is_refused(ruled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", f"out={ruled}", "source=helpdesk", "data=.") == 2
    assert "FIX: set out=" in capsys.readouterr().err


def test_a_changed_model_file_is_refused_before_it_is_parsed(ruled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = (ruled / "models" / "churn" / "champion").resolve()
    path = folder / "model.json"
    text = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(text + b" ")
    latest = (ruled / "lists" / "churn" / "latest").resolve()
    try:
        assert run("score", f"out={ruled}", "target=churn") == 5
        assert "E502" in capsys.readouterr().err
        assert (ruled / "lists" / "churn" / "latest").resolve() == latest
    finally:
        path.write_bytes(text)


BAD_SETTINGS = [
    (["sorce=demo"], 2, 'did you mean "source"|source'),
    (["source=helpdsk"], 2, 'did you mean "helpdesk"'),
    (["target=tikets"], 2, 'did you mean "tickets"'),
    (["model=lightgmb"], 2, 'did you mean "lightgbm"'),
    (["validation.step_dys=7"], 2, 'did you mean "validation.step_days"'),
    (["validation.step_days=soon"], 2, "validation.step_days"),
    (["capacity=0"], 2, "capacity"),
    (["+source._target_=os.system"], 2, "would run code"),
    (["target._target_=builtins.print"], 2, "would run code"),
    (["just-words"], 2, "key=value"),
    (["as_of=yesterday"], 2, "not a date"),
    (["as_of=2999-01-01"], 2, "future"),
    (["privacy.purpose=''"], 9, "purpose"),
    (["source=helpdesk", "data=/nowhere"], 4, "no data folder"),
    (["tables.tickets.on_bad_row=ignore"], 2, "refuse or quarantine"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), BAD_SETTINGS, ids=lambda value: str(value)[:40])
def test_wrong_settings_get_one_line_and_the_right_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, words: str
) -> None:
    assert run("train", f"out={tmp_path / 'out'}", "demo.customers=20", "demo.months=6", *arguments) == status
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("ERROR E")
    assert "FIX: " in err
    assert any(word in err for word in words.split("|"))
    assert not (tmp_path / "out" / "lists").exists()
    assert not (tmp_path / "out" / "models").exists()


def test_score_without_a_champion_says_what_to_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", f"out={tmp_path / 'out'}", "demo.customers=30", "demo.months=6") == 5
    assert "make train" in capsys.readouterr().err


SMALL_WORLDS = {
    "one customer": (["demo.customers=1", "demo.months=14"], "rule"),
    "few customers": (["demo.customers=40", "demo.months=14", "features.sets=[usage,tickets]", "features.lookbacks=[28,90]"], "rule"),
}


@pytest.mark.parametrize("name", some(sorted(SMALL_WORLDS)))  # tests/test_faults_cohort.py lists both
def test_small_worlds_get_the_rule_labelled_and_exit_0(tmp_path: Path, name: str) -> None:
    arguments, kind = SMALL_WORLDS[name]
    out = tmp_path / "out"
    assert run("train", f"out={out}", "target=churn", *once.CHEAP, "validation.cutoffs=6", *arguments) == 0
    report = json.loads((out / "train" / "churn" / "report.json").read_text())
    assert report["chosen"]["model"] == kind
    assert "rules, no model" in report["chosen"]["why"] or "not promoted" in report["chosen"]["why"]
    assert run("score", f"out={out}", "target=churn") == 0
    manifest = json.loads((out / "lists" / "churn" / "latest" / "manifest.json").read_text())
    assert manifest["model"]["kind"] == kind


def test_no_closed_label_window_names_the_first_date_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [f"out={tmp_path / 'out'}", "demo.customers=40", "demo.months=5", "target=churn"]
    assert run("train", *arguments) == 6
    assert "train from as_of=" in capsys.readouterr().err


def test_a_lookback_longer_than_the_history_is_dropped_and_named(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert (
        run(
            "train",
            f"out={out}",
            "demo.customers=40",
            "demo.months=10",
            "target=tickets",
            "model=rule",
            "features.sets=[tickets]",
            *once.CHEAP,
        )
        == 0
    )
    report = json.loads((out / "train" / "tickets" / "report.json").read_text())
    assert any("lookback of 365 days left out" in message for message in report["messages"])


@pytest.mark.parametrize("name", ["sbom", "audit"])
def test_help_of_what_takes_no_settings_does_nothing_but_help(name: str, tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    command = [sys.executable, "-m", f"pipelines.{name}", "--help"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, list(tmp_path.iterdir())) == (0, [])
    assert "requirements.lock" in done.stdout


def test_help_that_nobody_reads_on_is_no_bug(tmp_path: Path) -> None:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines.train", "--help"],
        env=os.environ | {"PYTHONPATH": path},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as shown:
        assert shown.stdout is not None
        assert shown.stderr is not None
        shown.stdout.close()
        assert shown.stderr.read() == ""
    assert shown.returncode == 0


def test_help_is_light() -> None:
    code = "import sys, pipelines.train; heavy = {'lightgbm', 'sklearn', 'mlflow', 'shap', 'matplotlib', 'optuna', 'pandas'} & set(sys.modules); assert not heavy, heavy"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = process("train", "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith("train key=value")
    assert "Main settings:" in shown.stdout
    assert "source: complete_journey, demo, freshdesk, helpdesk, hubspot" in process("train", "--help-all").stdout


def test_a_private_folder_wins_over_ours(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREVENANCE_CONF", "")
    (tmp_path / "conf" / "source" / "acme").mkdir(parents=True)
    (tmp_path / "conf" / "target").mkdir()
    (tmp_path / "data").mkdir()
    (tmp_path / "conf" / "source" / "acme.yaml").write_text(
        "name: acme\nstatic: true\ntimezone: Europe/Paris\nfiles: {events: events.csv}\ntargets: {tickets: {}}\n", encoding="utf-8"
    )
    (tmp_path / "conf" / "source" / "acme" / "tickets.sql").write_text(
        "select customer as customer_id, id as ticket_id, 'opened' as event, day as event_at from events\n", encoding="utf-8"
    )
    (tmp_path / "conf" / "target" / "tickets.yaml").write_text(
        "name: tickets\nkind: ticket\nhorizon_days: 10\nsettle_days: 0\nactive_days: 365\nactivity: [tickets]\n", encoding="utf-8"
    )
    days = pd.date_range("2024-01-01", "2025-06-01", freq="3D")
    lines = [f"c{n % 17:03d},{n},{day:%Y-%m-%d}" for n, day in enumerate(days)]
    (tmp_path / "data" / "events.csv").write_text("customer,id,day\n" + "\n".join(lines) + "\n", encoding="utf-8")
    out = tmp_path / "out"
    arguments = [
        "--config-dir",
        str(tmp_path / "conf"),
        "source=acme",
        f"data={tmp_path / 'data'}",
        f"out={out}",
        "validation.replicates=50",
        "model.trials=2",
    ]
    assert run("train", *arguments) == 0
    printed = capsys.readouterr().out
    assert json.loads((out / "train" / "tickets" / "report.json").read_text())["horizon_days"] == 10
    assert f"make score CONF={tmp_path / 'conf'} ARGS='target=tickets out={out}'" in printed
    monkeypatch.setenv("PREVENANCE_CONF", "")
    assert run("score", f"out={out}") == 2
    assert "CONF=<folder that holds source/acme.yaml>" in capsys.readouterr().err


def test_the_folder_that_init_writes_trains(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first source of a newcomer: the selects as they are written, on the files that they name."""
    monkeypatch.setenv("PREVENANCE_CONF", "")
    (tmp_path / "data").mkdir()
    days = pd.date_range("2024-01-01", periods=90, freq="7D")
    accounts = [f"c{n:02d},{day:%Y-%m-%d},Customer {n},mid" for n, day in enumerate(days)]
    ends = [f"{day + pd.Timedelta(days=200):%Y-%m-%d}" if n % 2 else "" for n, day in enumerate(days)]
    contracts = [f"s{n},c{n:02d},{day:%Y-%m-%d},{ends[n]},100,5" for n, day in enumerate(days)]
    (tmp_path / "data" / "accounts.csv").write_text("\n".join(["account_id,signup_date,name,segment", *accounts]), encoding="utf-8")
    (tmp_path / "data" / "subscriptions.csv").write_text(
        "\n".join(["id,account_id,start_date,end_date,mrr,seats", *contracts]), encoding="utf-8"
    )
    monkeypatch.setattr(sys, "argv", ["prevenance", "init", str(tmp_path / "conf"), "source=mine", f"data={tmp_path / 'data'}"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    where = ["--config-dir", str(tmp_path / "conf"), f"out={tmp_path / 'out'}"]
    status = run("train", *where, "source=mine", f"data={tmp_path / 'data'}", "model=rule", "validation.replicates=20")
    assert status == 0, capsys.readouterr().err
    assert json.loads((tmp_path / "out" / "train" / "churn" / "report.json").read_text())["positives"] > 10


def test_the_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for words, status in ((["--help"], 0), ([], 2), (["trian"], 2)):
        monkeypatch.setattr(sys, "argv", ["prevenance", *words])
        with pytest.raises(SystemExit, match=str(status)):
            cli.main()
        told = capsys.readouterr()
        assert (told.err if status else told.out).startswith("ERROR E20" if status else "usage: prevenance COMMAND key=value")


def promoted_on_noise(trained: Path, seed: int) -> list[str]:
    """Return the kinds of model that the gate promotes although the labels of each cutoff are shuffled."""
    from prevenance.judge import evaluation
    from prevenance.models import folds, training

    frame = pd.read_parquet(trained / "train" / "tickets" / "features.parquet")
    frame["cutoff"] = frame["cutoff"].dt.tz_localize(None)
    frame["label"] = frame.groupby("cutoff")["label"].transform(lambda part: part.sample(frac=1, random_state=seed).to_numpy())
    columns = [name for name in frame.columns if name not in ("customer_id", "cutoff", "state", "value_at_stake", "label", "outcome_at")]
    cutoffs = sorted(moment.to_pydatetime() for moment in frame["cutoff"].unique())
    parted = folds.make_folds(cutoffs, horizon_days=30, settle_days=3, tests=4)
    kinds = ("logistic", "lightgbm")
    tested = training.backtest(frame, parted, kinds, columns, seed=7, trials=2)
    told = {"capacity": 10, "seed": 7, "replicates": 200}
    return [kind for kind in kinds if evaluation.gate_verdict(tested.predictions, kind, ["rule", "base_rate"], **told).promoted]


SHUFFLES = [pytest.param(3, id="three"), pytest.param(20, marks=pytest.mark.sweep, id="twenty")]


@pytest.mark.parametrize("number", SHUFFLES)
def test_shuffled_labels_are_not_promoted_oftener_than_the_gate_allows(trained: Path, number: int) -> None:
    """The gate asks for 2.58 standard errors above a coin: one shuffle in 200 gets through (1 of 238 was counted on this company, of seed 2)."""
    assert sum(len(promoted_on_noise(trained, seed)) for seed in range(1, number + 1)) <= 1


def test_a_past_list_is_the_same_whatever_came_later(trained: Path, tmp_path: Path) -> None:
    """Law 6 end to end: model and list of a past date, from files with another future."""
    import gzip

    past, lists = "2026-06-01T00:00:00Z", []
    small = SMALL if whole() else [*once.RULED[0][1:-4], "features.sets=[usage,feedback]", "features.lookbacks=[28]"]
    demo = (trained if whole() else once.lived(once.RULED)) / "demo"
    for name in ("as it came", "another future"):
        data, out = tmp_path / name / "data", tmp_path / name / "out"
        data.mkdir(parents=True)
        for path in demo.iterdir():
            (data / path.name).write_bytes(path.read_bytes())
        if name == "another future":
            header, *rows = gzip.decompress((data / "product_events.csv.gz").read_bytes()).decode().rstrip("\n").split("\n")
            loaded = header.replace('"', "").split(",").index("loaded_at")
            kept = [row for number, row in enumerate(rows) if row.split(",")[loaded].strip('"') < "2026-06-01" or number % 3 == 0]
            changed = [row for row in kept if row.split(",")[loaded].strip('"') >= "2026-06-02"]
            (data / "product_events.csv.gz").write_bytes(gzip.compress("\n".join([header, *kept, *changed[:500]]).encode()))
            feedback = (data / "feedback.csv").read_text(encoding="utf-8").rstrip("\n").split("\n")
            dated = [line for line in feedback if not any(f"2026-{month:02d}" in line for month in (7, 8, 9, 10))]
            (data / "feedback.csv").write_text("\n".join(dated) + "\n", encoding="utf-8")
        assert (
            run("train", *small, f"out={out}", f"data={data}", f"as_of={past}", "target=churn", "tables.usage.on_bad_row=quarantine") == 0
        )
        assert run("score", f"out={out}", f"as_of={past}", "target=churn") == 0
        lists.append((out / "lists" / "churn" / "latest").resolve())
    assert lists[0].name == lists[1].name
    assert digests(lists[0]) == digests(lists[1])
    before, after = (json.loads((folder / "manifest.json").read_text())["tables"]["usage"] for folder in lists)
    assert before["used"] == after["used"]
    assert before["excluded"]["after_as_of"] != after["excluded"]["after_as_of"], "the future was not changed: this test proves nothing"


def test_a_reader_who_leaves_stops_no_run() -> None:
    code = "import sys; from pipelines.start.run import say; say('x' * 200_000); say('y' * 200_000); sys.exit(3)"
    child = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None
    child.stdout.close()
    _, error = child.communicate(timeout=60)
    assert (child.returncode, error) == (3, "")
