"""The hold-out as an experiment: planted effects found and none invented, looks that were planned, other keys, a past date that stays, trials of elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipelines import experiment as command
from pipelines.start.run import _guarded
from prevenance.order.capacity import Room
from prevenance.order.decision import Memory, Rules, decide
from prevenance.order.holdout import ORIGIN, PUBLIC_SALT, HoldOut
from prevenance.proof import statement
from prevenance.proof.experiment import NOT_SHOWN, Plan, balance_of, draw_log, look_at, meter_of, plan_rows, verdict_of
from prevenance.proof.page import proof_page
from prevenance.proof.stated import Statement, figures_of, statement_facts
from prevenance.proof.uplift import uplift_by
from prevenance.runs.measured import measured_share
from prevenance.runs.settings.schema import Settings
from prevenance.words import LANGUAGES, words

START = ORIGIN + timedelta(weeks=13 * 107)
PLAN = Plan(START, looks=8, look_weeks=13, horizon_days=90, settle_days=7, share=0.3, held=0.3, power=0.8)
KEYED = HoldOut("churn", 90, share=0.3, key=b"our own")


def nobody(moment: datetime) -> pd.Series:
    return pd.Series(dtype=object)


def programme(seed: int, effect: float, customers: int = 2000, epochs: int = 6, rate: float = 0.2, comply: float = 0.8) -> pd.DataFrame:
    """Return a judged log: of a band drawn anew each epoch, who is contacted has the outcome less often by ``effect``; some held out are contacted too."""
    rng, found = np.random.default_rng(seed), []
    for number in range(epochs):
        at = START + timedelta(weeks=13 * number)
        ids = [f"c{one:05}" for one in rng.choice(customers, customers // 2, replace=False)]
        held = np.array([KEYED.drawn(one, KEYED.epoch(at)) for one in ids])
        contacted = rng.random(len(ids)) < np.where(held, 0.1, comply)
        outcome = rng.random(len(ids)) < rate * (1 - effect * contacted)
        found.append(
            pd.DataFrame(
                {
                    "customer_id": ids,
                    "unit": ids,
                    "epoch": KEYED.epoch(at),
                    "drawn_at": at,
                    "listed_at": at,
                    "held": held,
                    "contacted": contacted * 1.0,
                    "outcome": outcome * 1.0,
                }
            )
        )
    log = pd.concat(found, ignore_index=True).assign(
        score=rng.random(len(found) * len(found[0])), value_at_stake=1000.0, segment="small", place=1
    )
    return log.assign(closes=log["listed_at"] + pd.Timedelta(days=97))


def slow(log: pd.DataFrame, at: datetime) -> tuple[float, float, float]:
    """Return the difference as drawn and the shares contacted, by loops over rows."""
    counts = {True: [0, 0.0, 0.0], False: [0, 0.0, 0.0]}
    for row in log.to_dict("records"):
        if row["closes"] <= at:
            own = counts[bool(row["held"])]
            own[0], own[1], own[2] = own[0] + 1, own[1] + row["outcome"], own[2] + row["contacted"]
    (n, a, b), (m, c, d) = counts[True], counts[False]
    return a / n - c / m, b / n, d / m


def test_a_planted_effect_is_shown_at_a_planned_look_and_found_again_by_a_slow_count() -> None:
    log, until = programme(1, 0.5), PLAN.dates[-1]
    told = verdict_of(log, PLAN, until)
    assert told.share_from == "measured"
    assert told.by is not None
    value, held, contact = slow(log, told.by.at)
    assert told.by.difference[0] == pytest.approx(value)
    assert (told.by.contacted_held, told.by.contacted_contact) == (pytest.approx(held), pytest.approx(contact))
    assert told.by.difference[1] <= 0.2 * 0.5 * 0.7 <= told.by.difference[2]
    assert told.by.itself[1] <= 0.1 <= told.by.itself[2]
    assert 0 < told.share <= told.by.share[0]
    low, high = told.by.saved
    assert 0 < low < high


def test_an_unplanned_look_is_shown_and_moves_nothing() -> None:
    log, between = programme(1, 0.5), PLAN.dates[0] - timedelta(days=1)
    told = verdict_of(log, PLAN, between)
    assert told.now.number is None
    assert told.now.difference[1] > 0, "by eye there is an effect already"
    assert (told.looks, told.share, told.share_from, told.by) == ((), PLAN.share, "assumed", None)
    assert told.next_look == PLAN.dates[0]


def test_the_statement_of_a_past_date_is_unchanged_by_later_draws_and_outcomes() -> None:
    log, until = programme(2, 0.4), PLAN.dates[1]
    later = log.assign(outcome=np.where(log["closes"] > until, 1 - log["outcome"], log["outcome"]))
    more = pd.concat(
        [later, later.tail(50).assign(listed_at=until + timedelta(days=1), closes=until + timedelta(days=98))], ignore_index=True
    )
    assert verdict_of(more, PLAN, until) == verdict_of(log, PLAN, until)
    assert verdict_of(log.assign(outcome=1 - log["outcome"]), PLAN, until) != verdict_of(log, PLAN, until)


def test_what_is_surely_less_than_assumed_replaces_it_without_being_called_an_effect() -> None:
    told = verdict_of(programme(3, 0.0, customers=20_000), replace(PLAN, share=0.4), PLAN.dates[-1])
    assert told.share_from == "replaced"
    assert told.share < 0.1
    assert verdict_of(programme(3, 0.0, customers=60), PLAN, PLAN.dates[-1]).share_from == "assumed"


def test_of_a_wished_outcome_more_is_the_effect() -> None:
    log = programme(1, 0.5)
    won = log.assign(outcome=1 - log["outcome"])
    told, lost = verdict_of(won, replace(PLAN, gain=True), PLAN.dates[-1]), verdict_of(log, PLAN, PLAN.dates[-1])
    assert told.looks[-1].difference == pytest.approx(lost.looks[-1].difference, abs=0.01)
    assert told.share_from == "measured"


def test_an_empty_programme_says_not_shown() -> None:
    empty = programme(1, 0.0).iloc[:0]
    told = verdict_of(empty, replace(PLAN, start=None), START)
    assert (told.looks, told.next_look, told.share_from, told.now.found) == ((), None, "assumed", NOT_SHOWN)
    assert meter_of(PLAN, 0.1, empty)["power"] == 0
    assert balance_of(empty).empty


def arms(key: bytes, at: datetime, customers: int = 200) -> pd.DataFrame:
    rules = replace(KEYED, key=key)
    ids = [f"c{one}" for one in range(customers)]
    held = [rules.drawn(one, rules.epoch(at)) for one in ids]
    return pd.DataFrame(
        {
            "customer_id": ids,
            "place": 1,
            "in_band": True,
            "arm": ["holdout" if one else "contact" for one in held],
            "score": 0.1,
            "value_at_stake": 1.0,
            "drawn_at": f"{at.isoformat()}Z",
        }
    )


def test_who_was_drawn_is_worked_out_again_and_another_key_counts_nowhere() -> None:
    second = START + timedelta(weeks=13)
    lists = [(START + timedelta(days=1), arms(b"our own", START)), (START, arms(b"our own", START)), (second, arms(PUBLIC_SALT, second))]
    log, other = draw_log(lists, KEYED, nobody)
    assert (len(log), other) == (200, 200)
    assert set(log["listed_at"]) == {pd.Timestamp(START)}
    # an escalation later hides the arm; as drawn it stays
    hidden = arms(b"our own", START).assign(arm=None)
    again, _ = draw_log([(START, hidden)], KEYED, nobody)
    assert again["held"].tolist() == log["held"].tolist()
    owners = pd.Series({f"c{one}": f"owner {one % 12}" for one in range(200)})
    by_owner, _ = draw_log([(START, hidden)], replace(KEYED, unit="owner"), lambda moment: owners)
    assert (by_owner.groupby("unit")["held"].nunique() == 1).all()
    assert draw_log([], KEYED, nobody)[0].empty


def test_units_are_drawn_together() -> None:
    rows = pd.DataFrame(
        {"customer_id": [f"c{one:03}" for one in range(120)], "state0": "at_risk", "score": 0.5, "value_at_stake": 100.0, "owner": "Mia"}
    )
    rows["unit"] = [f"parent {one // 4}" for one in range(120)]
    rules = Rules(0.15, 1.0, Room(60), replace(KEYED, band=1.0))
    found, _ = decide(rows, rules, START, Memory(), draws=True)
    band = found[found["in_band"]].assign(unit=rows["unit"])
    assert (band["arm"] == "holdout").sum() > 10
    assert (band.assign(held=band["arm"] == "holdout").groupby("unit")["held"].nunique() == 1).all()


def test_arms_that_were_alike_and_arms_that_were_not() -> None:
    log = programme(5, 0.0)
    assert (balance_of(log)["p"] > 0.001).all()
    off = balance_of(log.assign(score=log["score"] + 0.3 * log["held"], segment=np.where(log["held"], "large", "small")))
    assert (off.loc[off["what"].isin(["score", "segment=large"]), "p"] < 0.001).all()


def test_ways_to_an_answer_are_shorter_with_more_draws() -> None:
    ways = plan_rows(replace(PLAN, held=0.1, share=0.2), 0.05, 10, 3, 20).set_index("way")["weeks"]
    assert ways["both"] < ways["larger_share"] < ways["as_set"]
    assert "pooled" not in set(plan_rows(PLAN, 0.05, 10, 1, 20)["way"])
    assert ways["pooled"] < ways["wider_band"] < ways["as_set"]
    assert np.isinf(plan_rows(replace(PLAN, held=0.0), 0.05, 10, 3, 20).set_index("way").loc["as_set", "weeks"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("effect", [0.5, 0.0])
def test_the_statement_is_a_page_in_each_language(language: str, effect: float) -> None:
    log = programme(1, effect, customers=1000 if effect else 60).assign(segment="<b>x</b>")
    say, until = words(language), PLAN.dates[3]
    ways, meter = plan_rows(PLAN, 0.2, 40, 3, 20), meter_of(PLAN, 0.2, log)
    one = Statement(
        "churn",
        "Customers to keep",
        PLAN,
        verdict_of(log, PLAN, until),
        log,
        balance_of(log),
        ways,
        meter,
        0.2,
        {},
        {"other_key": 4, "erased": 1},
        "EUR",
    )
    lead = statement.lead_sentences(say, one)
    page = proof_page(
        say, say("What contacts change"), {"date": "1"}, lead, statement.note_sentences(say, one), statement.statement_sections(say, one)
    )
    assert "<b>x" not in page
    assert page.rstrip().endswith("</html>")
    told = json.loads(json.dumps(statement_facts(one), default=str))
    assert (told["saved"] is None) == (effect == 0.0)
    assert told["now"]["planned"] is False
    assert [name for name, *_ in figures_of([one])][-1] == "churn/share"
    if language == "en":
        assert ("not shown yet" in lead[0]) == (effect == 0.0)


def test_lists_count_with_what_was_measured_from_its_date_on(tmp_path: Path) -> None:
    given = Settings(out=str(tmp_path))
    for day, share, told in (("2026-04-01", 0.08, "measured"), ("2026-07-01", 0.15, "assumed")):
        folder = tmp_path / "experiment" / f"{day}T000000Z-0123456789ab"
        folder.mkdir(parents=True)
        (folder / "statement.json").write_text(json.dumps({"churn": {"share": {"value": share, "from": told}}}))
    assert measured_share(given, "churn", datetime(2026, 3, 1)) is None
    assert measured_share(given, "churn", datetime(2026, 5, 1)) == 0.08
    assert measured_share(given, "churn", datetime(2026, 8, 1)) is None
    assert measured_share(given, "tickets", datetime(2026, 5, 1)) is None


# -- experiments of elsewhere


def trial(seed: int, customers: int, effect: float, *, uneven: float = 0.0, harmed: float = 0.0) -> pd.DataFrame:
    """Return an experiment: a contact raises the outcome by ``effect``, by ``uneven`` more where x is high, and lowers it by ``harmed`` where y is low."""
    rng = np.random.default_rng(seed)
    x, y, arm = rng.random(customers), rng.random(customers), rng.random(customers) < 0.5
    rate = 0.2 + arm * (effect + uneven * (x > 0.5) - harmed * (y < 0.2))
    return pd.DataFrame(
        {"x": x.round(3), "y": y.round(3), "treated": np.where(arm, "yes", "no"), "bought": (rng.random(customers) < rate) * 1}
    )


def run(*arguments: str) -> int:
    return _guarded("experiment", command.body, list(arguments))


def imported(tmp_path: Path, table: pd.DataFrame, *more: str) -> dict[str, object]:
    table.to_parquet(tmp_path / "trial.parquet")
    asked = [f"file={tmp_path / 'trial.parquet'}", f"out={tmp_path / 'out'}", "experiment.arm=treated", "experiment.outcome=bought", *more]
    assert run(*asked) == 0
    found: dict[str, object] = json.loads((tmp_path / "out" / "trial" / "statement.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.long
def test_a_trial_of_elsewhere_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = imported(tmp_path, trial(1, 20_000, 0.05, uneven=0.1, harmed=0.15))
    assert told["reorders"]
    assert told["harmed"]
    told = imported(tmp_path, trial(2, 900, 0.0), "experiment.avoid=true", "experiment.probability=0.5")
    assert told["uplift"] == {}
    capsys.readouterr()
    for more, code in ((["experiment.arm=treatd"], "E301"), (["experiment.outcome=x"], "E307"), (["experiment.probability=1.5"], "E202")):
        asked = {"experiment.arm": "treated", "experiment.outcome": "bought"} | dict(one.split("=") for one in more)
        assert run(
            f"file={tmp_path / 'trial.parquet'}", f"out={tmp_path / 'out'}", *(f"{key}={value}" for key, value in asked.items())
        ) in (2, 3)
        assert code in capsys.readouterr().err


@pytest.mark.long
def test_without_a_key_of_ones_own_there_is_no_experiment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PREVENANCE_HOLDOUT_KEY", raising=False)
    assert run("target=churn", f"out={tmp_path / 'out'}") == 2
    assert "anybody can work out who is drawn" in capsys.readouterr().err


def trial_span(seed: int, customers: int, **asked: float) -> tuple[float, float]:
    from prevenance.proof.effect import arm_of, difference_span

    table = trial(seed, customers, **asked)
    arm, units = table["treated"].eq("yes").to_numpy(), np.arange(customers)
    low, high = difference_span(*(arm_of(table.loc[one, "bought"].to_numpy(dtype=float), units[one]) for one in (~arm, arm)))
    return -high, -low


@pytest.mark.sweep
def test_planted_effects_are_covered_and_harm_is_found_or_not_claimed() -> None:
    """At 40,000 units and 20 seeds."""
    inside = sum(low <= 0.03 <= high for low, high in (trial_span(seed, 40_000, effect=0.03) for seed in range(20)))
    assert inside >= 17
    claimed, harmed = 0, 0
    for seed in range(20):
        for uneven, harm in ((0.0, 0.0), (0.05, 0.1)):
            table = trial(seed, 40_000, 0.02, uneven=uneven, harmed=harm)
            asked = table[["x", "y"]].to_numpy(), table["treated"].eq("yes").to_numpy(dtype=float), table["bought"].to_numpy(dtype=float)
            found = [uplift_by(one, *asked, np.full(40_000, 0.5), np.arange(40_000), 7) for one in "ST"]
            sure = max(one.z for one in found) >= 2 and min(one.z for one in found) > 0
            claimed += sure and not uneven
            harmed += sure and bool(uneven) and max(found, key=lambda one: one.z).harmed
    assert claimed <= 3
    assert harmed >= 17


@pytest.mark.sweep
def test_programmes_of_2000_customers_end_in_the_figures_of_a_slow_count() -> None:
    for seed in range(3):
        log = programme(seed, 0.4)
        for look in verdict_of(log, PLAN, PLAN.dates[-1]).looks:
            assert look.difference[0] == pytest.approx(slow(log, look.at)[0])
    crossed = sum(
        verdict_of(programme(seed, 0.0, customers=400, epochs=8), PLAN, PLAN.dates[-1]).share_from == "measured" for seed in range(200)
    )
    assert crossed / 200 <= 0.09
    assert look_at(programme(0, 0.4), PLAN, PLAN.dates[-1], 8).found == "crossed"
