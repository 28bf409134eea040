"""What contacts change: every interval against a slow second computation or a simulation, looks that were not planned among them."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from prevenance.proof import looks
from prevenance.proof.effect import Arm, arm_of, contact_span, difference_span, share_span, shrunk_share, wilson_span

PROGRAMMES = 10_000


def arm(outcomes: int, customers: int) -> Arm:
    return Arm(customers, customers, float(outcomes), float(customers))


def solved_wilson(outcomes: int, customers: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval as it is defined: the rates whose own normal interval just holds what was seen."""
    from scipy.optimize import brentq

    seen = outcomes / customers

    def off(rate: float) -> float:
        return (seen - rate) ** 2 - z**2 * rate * (1 - rate) / customers

    low = 0.0 if outcomes == 0 else brentq(off, 1e-12, seen - 1e-9)
    return low, 1.0 if outcomes == customers else brentq(off, seen + 1e-9, 1 - 1e-12)


@pytest.mark.parametrize(("outcomes", "customers"), [(0, 20), (3, 20), (20, 20), (56, 70), (5, 1000)])
def test_wilson_is_what_it_is_defined_as(outcomes: int, customers: int) -> None:
    assert wilson_span(arm(outcomes, customers)) == pytest.approx(solved_wilson(outcomes, customers), abs=1e-6)


def test_newcombe_gives_the_figures_of_its_paper() -> None:
    """Newcombe (1998), table II, method 10: 56/70 - 48/80, 9/10 - 3/10, 10/10 - 0/10."""
    for one, other, wanted in (
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ):
        assert difference_span(arm(*one), arm(*other)) == pytest.approx(wanted, abs=1e-4)


def test_the_share_is_that_of_the_ratio_and_undefined_without_outcomes_held_out() -> None:
    value, low, high = share_span(arm(30, 300), arm(60, 1200))
    assert value == pytest.approx(0.5)

    # a second computation: where the limits of "contacted - ratio x held out" (MOVER of a difference) meet nought
    def reach(ratio: float, side: int) -> float:
        (low_h, high_h), (low_c, high_c) = solved_wilson(30, 300), solved_wilson(60, 1200)
        if side < 0:
            return 0.05 - ratio * 0.1 + sqrt((high_c - 0.05) ** 2 + (ratio * (0.1 - low_h)) ** 2)
        return 0.05 - ratio * 0.1 - sqrt((0.05 - low_c) ** 2 + (ratio * (high_h - 0.1)) ** 2)

    from scipy.optimize import brentq

    assert 1 - low == pytest.approx(brentq(reach, 0.5, 3, args=(-1,)), abs=1e-5)
    assert 1 - high == pytest.approx(brentq(reach, 0.0, 0.5, args=(1,)), abs=1e-5)
    assert np.isnan(share_span(arm(0, 300), arm(60, 1200))).all()
    assert np.isnan(share_span(arm(2, 9), arm(60, 1200))[1:]).all()


def test_below_ten_units_an_arm_there_is_no_interval() -> None:
    outcomes, units = np.tile([0.0, 1.0], 450), np.repeat(np.arange(9), 100)
    assert np.isnan(difference_span(arm_of(outcomes, units), arm(50, 900))).all()
    assert np.isfinite(difference_span(arm_of(outcomes, np.arange(900)), arm(50, 900))).all()


def test_units_that_are_alike_are_worth_fewer_customers() -> None:
    alike = arm_of(np.repeat([0.0, 1.0], 100), np.repeat(np.arange(20), 10))
    assert (alike.units, alike.customers, alike.freedom) == (20, 200, 19)
    assert alike.worth == pytest.approx(19.0)


def test_the_effect_of_a_contact_is_the_difference_over_that_of_the_contacts() -> None:
    """Against a search: Fieller's interval holds each effect whose own test (z of outcome + effect x contact between the arms) is below the quantile."""
    rng = np.random.default_rng(3)
    held = np.arange(4000) < 2000
    contacted = (rng.random(4000) < np.where(held, 0.1, 0.7)).astype(float)
    outcomes = (rng.random(4000) < 0.3 - 0.1 * contacted).astype(float)
    value, low, high = contact_span(outcomes, contacted, held, np.arange(4000))
    assert value == pytest.approx((outcomes[held].mean() - outcomes[~held].mean()) / (contacted[~held].mean() - contacted[held].mean()))

    def z(effect_asked: float) -> float:
        mixed = outcomes + effect_asked * contacted
        return (mixed[held].mean() - mixed[~held].mean()) / sqrt(mixed[held].var() / 2000 + mixed[~held].var() / 2000)

    inside = [one for one in np.linspace(-0.5, 0.7, 24_001) if abs(z(one)) <= 1.959964]
    assert (low, high) == pytest.approx((inside[0], inside[-1]), abs=2e-4)
    assert np.isnan(contact_span(outcomes, np.ones(4000), held, np.arange(4000))[1:]).all()


def test_customers_of_several_epochs_are_one_cluster() -> None:
    rng = np.random.default_rng(4)
    held = np.arange(300) < 150
    contacted, outcomes = (~held).astype(float), (rng.random(300) < 0.3).astype(float)
    once = contact_span(outcomes, contacted, held, np.arange(300))
    again = contact_span(*(np.tile(one, 4) for one in (outcomes, contacted, held, np.arange(300))))
    assert again == pytest.approx(once)


def test_an_uncertain_share_is_drawn_to_nought() -> None:
    assert shrunk_share(0.3, 0.29, 0.31, 0.15) == pytest.approx(0.3, abs=1e-3)
    assert 0 < shrunk_share(0.3, -0.5, 1.1, 0.15) < 0.05
    assert shrunk_share(0.3, float("nan"), float("nan"), 0.15) == 0


def test_bounds_are_those_of_the_books() -> None:
    """Jennison and Turnbull (2000), table 2.3: the constants of O'Brien and Fleming at 5 %, two-sided."""
    for number, constant in ((1, 1.960), (2, 1.977), (4, 2.024), (8, 2.072)):
        assert looks.look_bounds(number)[-1] == pytest.approx(constant, abs=1e-3)


def test_how_many_customers_an_answer_takes() -> None:
    assert looks.arm_sizes(0.05, 0.2) == (6745, 6745)
    held, contact = looks.arm_sizes(0.05, 0.2, held=0.1)
    assert (held, contact) == (4063, 36568)
    assert looks.reached_power(6745, 6745, 0.05, 0.2) == pytest.approx(0.8, abs=0.002)
    assert looks.weeks_needed((100, 900), 50, 0.1, 13) == 20 + 13
    assert looks.weeks_needed((100, 900), 0, 0.1, 13) == float("inf")


def covered(rng: np.random.Generator, held: int, contact: int, rate: float, share: float, programmes: int) -> tuple[float, float, int]:
    """Return how often the true difference and the true share lay inside, of those with ten outcomes held out, and how many these were."""
    below = rng.binomial(held, rate, programmes), rng.binomial(contact, rate * (1 - share), programmes)
    inside, shares, told = 0, 0, 0
    for one, other in zip(*below, strict=True):
        ours, theirs = arm(int(one), held), arm(int(other), contact)
        low, high = difference_span(ours, theirs)
        inside += low <= rate * share <= high
        if one >= 10:
            _, low, high = share_span(ours, theirs)
            told += 1
            shares += low <= share <= high
    return inside / programmes, shares / max(told, 1), told


def false_alarms(rng: np.random.Generator, programmes: int, number: int = 8, each: int = 250, rate: float = 0.1) -> float:
    """Return how many programmes without an effect call one at any of their looks; the arms are looked at as the page looks."""
    called = 0
    bounds = looks.look_bounds(number)
    for _ in range(programmes):
        ours, theirs = (np.cumsum(rng.binomial(each, rate, number)) for _ in range(2))
        spans = (
            difference_span(arm(int(a), each * k), arm(int(b), each * k), z)
            for k, (a, b, z) in enumerate(zip(ours, theirs, bounds, strict=True), 1)
        )
        called += any(low > 0 or high < 0 for low, high in spans)
    return called / programmes


def owner_alarms(rng: np.random.Generator, programmes: int, by_owner: bool) -> float:
    """Return how often an effect is called where owners were drawn and owners differ, analysed by owner or, wrongly, by customer."""
    called, owners, each = 0, 24, 25
    for _ in range(programmes):
        rates = rng.beta(2, 14, owners).repeat(each)
        outcomes = (rng.random(owners * each) < rates).astype(float)
        units = np.repeat(np.arange(owners), each) if by_owner else np.arange(owners * each)
        half = owners * each // 2
        low, high = difference_span(arm_of(outcomes[:half], units[:half]), arm_of(outcomes[half:], units[half:]))
        called += low > 0 or high < 0
    return called / programmes


def test_intervals_and_looks_hold_what_they_promise_roughly() -> None:
    rng = np.random.default_rng(1)
    assert covered(rng, 20, 200, 0.15, 0.2, 400)[0] >= 0.92
    assert false_alarms(rng, 150) <= 0.1
    assert owner_alarms(rng, 150, by_owner=True) <= 0.1


@pytest.mark.sweep
def test_intervals_and_looks_hold_what_they_promise() -> None:
    rng = np.random.default_rng(23)
    for rate in (0.05, 0.1, 0.3):
        assert covered(rng, 20, 200, rate, 0.2, PROGRAMMES)[0] >= 0.94
    for held, contact, rate, share in ((100, 900, 0.15, 0.2), (400, 3600, 0.05, 0.2), (200, 200, 0.1, 0.0)):
        _, shares, told = covered(rng, held, contact, rate, share, PROGRAMMES)
        assert told > 1000
        assert shares >= 0.93
    assert false_alarms(rng, PROGRAMMES) <= 0.055
    assert owner_alarms(rng, PROGRAMMES, by_owner=True) <= 0.055


@pytest.mark.sweep
def test_drawn_by_owner_and_analysed_by_customer_would_be_seen() -> None:
    assert owner_alarms(np.random.default_rng(23), 2000, by_owner=False) > 0.1
