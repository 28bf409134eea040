"""The record of a target: a cohort, an outcome, a horizon, and what people read of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal


@dataclass(frozen=True)
class TargetWords:
    """What people read of a target, in English with its placeholders (the key of each translation); these say it of any outcome.

    ``gain``: the outcome is wished for. The money at stake is a sum a year unless ``above`` says otherwise.
    """

    title: str = "Customers to contact"
    question: str = "Chance in {n} days"
    stake: str = "At stake → expected"
    expected: str = "About {number} of them are expected to have the outcome within {n} days."
    expected_money: str = "About {number} of them are expected to have the outcome within {n} days."
    hits: str = "{where}, {hits} of the {n} customers on the list had the outcome."
    missed: str = "{missed} of the {n} with the outcome were not on it."
    similar: str = "Of {n} similar customers of the past, {outcome} had the outcome."
    why: str = "Why, and what speaks against"
    against: str = "What speaks against it"
    against_one: str = "Against: {reason}"
    above: str = "The next row has the higher chance; {here} a year is at stake here, {there} there"
    verb: str = "have the outcome"
    past: str = "had the outcome"
    absent: str = "The customer was not active in the {n} days before {date}, so this list did not ask about them"
    gain: bool = False


ANY_OUTCOME = TargetWords()
"""What is said of a target that says nothing of itself."""


@dataclass(frozen=True)
class Target:
    """What is predicted.

    ``cohort`` is SQL over rows visible at the cutoff (each of ``tables`` by its name, with ``age_days`` and ``cutoff``)
    and returns ``customer_id, state`` (``at_risk`` or ``too_late``), ``value_at_stake`` (money a year, or null).
    ``outcome`` is SQL that may also see ``next_<table>``, the rows of the label window; it returns
    ``customer_id, outcome_at`` for those whose outcome came. With ``absence`` the outcome is that no row is returned.
    With ``at_end`` it is how things stand when the window ends, so nothing that has come before is sure to stay.
    With ``pairs`` a row is a customer and a product: both return ``product_id`` too. ``burn_in_days`` is how much history a cohort needs;
    who is known for less than ``min_known_days`` is neither learned from, tested nor listed.
    ``alone`` says that both treat each customer alone, as ``State.alone``, and so can be asked for several cutoffs in one statement.
    ``keeps`` says that the list is one of customers to keep: who is hardly likelier than usual to have the outcome stands on none.
    ``words`` say it to people; ``told_by`` is how its reasons are told: by what is ``worse`` for the relation, or by what raises the
    ``chance``, where more of a good thing may be a reason. ``plays`` is what to do about a reason, as in ``conf/playbook/``: family (or ``any``) -> play.
    """

    name: str
    tables: tuple[str, ...]
    cohort: str
    outcome: str
    horizon_days: int
    settle_days: int = 0
    lead_days: int = 0
    absence: bool = False
    at_end: bool = False
    alone: bool = False
    says: str = ""
    pairs: bool = False
    keeps: bool = False
    burn_in_days: int = 0
    min_known_days: int = 28
    words: TargetWords = ANY_OUTCOME
    told_by: Literal["worse", "chance"] = "chance"
    plays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)

    @property
    def keys(self) -> list[str]:
        """Return the columns that, with the cutoff, name a snapshot."""
        return ["customer_id", "product_id"] if self.pairs else ["customer_id"]

    def closes(self, cutoff: datetime) -> datetime:
        """Return the moment from which the label of ``cutoff`` is known for good."""
        return cutoff + timedelta(days=self.horizon_days + self.settle_days)
