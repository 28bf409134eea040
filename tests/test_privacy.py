"""A purpose is recorded or nobody is scored; a "no" holds everywhere; special categories and agents are no features."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.run import settings_of
from prevenance.errors import PrevenanceError
from prevenance.history import cut, newest_known_at
from prevenance.privacy import EXAMPLES, Privacy, check
from prevenance.sources.convert import Source
from prevenance.sources.files import connect
from prevenance.sources.intake import Intake, Policy, intake

ACCOUNTS = "id,since\n" + "".join(f"{one},2024-01-01\n" for one in "abcdefghij")
CUSTOMERS = "select id as customer_id, since as event_at, _file, _line from accounts"
CONSENTS = "select id as customer_id, day as event_at, known as known_at, purpose, allowed, _file, _line from consents"


def taken(folder: Path, consents: str, select: str = CONSENTS) -> Intake:
    (folder / "accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    (folder / "consents.csv").write_text("id,day,known,purpose,allowed\n" + consents, encoding="utf-8")
    files = {"accounts": "accounts.csv", "consents": "consents.csv"}
    source = Source("mine", {"customers": CUSTOMERS, "consents": select}, files, timezone="UTC")
    return intake(connect(), source, folder, {name: Policy("quarantine") for name in ("customers", "consents")})


def out(found: Intake, **rules: object) -> str:
    until = (
        newest_known_at(found) if rules.pop("now", True) else min(row[0] for row in found.con.execute("select since from late").fetchall())
    )
    history, counts = cut(found, until, **rules)  # type: ignore[arg-type]
    for one in counts.values():
        assert one.read == one.used + sum(one.excluded.values()) + sum(one.quarantined.values())
    left = {row[0] for row in history.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    return "".join(sorted(set("abcdefghij") - left))


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("blank", ["", "  "])
def test_fault_80_purpose_legal_basis_and_controller_are_required(name: str, blank: str) -> None:
    whole = {"purpose": "help", "legal_basis": "contract", "controller": "Halden Foods"}
    check(Privacy(**whole))
    with pytest.raises(PrevenanceError, match=rf"E901 key=privacy.{name} — .* FIX: set privacy.{name}, for instance") as refused:
        check(Privacy(**{**whole, name: blank}))
    assert refused.value.exit_status == 9
    fix = refused.value.fix.rpartition("for instance ")[2].replace("'", "")
    check(Privacy(**{**whole, fix.partition("=")[0].removeprefix("privacy."): fix.partition("=")[2]}))


def test_fault_80_the_shipped_settings_record_all_three() -> None:
    shipped = settings_of("train", []).privacy
    check(Privacy(shipped.purpose, shipped.legal_basis, shipped.controller))


@pytest.mark.parametrize("said", ["no", "NO", "false", "0", "", "maybe", "nein", "n/a", "yes please", "1e"])
def test_fault_79_what_cannot_be_read_as_a_yes_is_a_no(tmp_path: Path, said: str) -> None:
    assert out(taken(tmp_path, f"a,2024-01-02,2024-01-02,outreach,{said}\nb,2024-01-02,2024-01-02,outreach,yes\n")) == "a"


def test_fault_79_a_no_that_breaks_the_contract_is_a_no_all_the_same(tmp_path: Path) -> None:
    broken = (
        "a,31/02/2024,2024-01-02,outreach,no\n"  # no date
        "b,1970-01-01,2024-01-02,outreach,no\n"  # out of range
        "c,2024-01-02,,outreach,no\n"  # not said when it was known
        "d,2024-01-05,2024-01-02,outreach,no\n"  # known before it happened
        "e,2024-01-02,2024-01-02,outreach,yes\n"
    )
    assert out(taken(tmp_path, broken)) == "abcd"
    twice = (
        CONSENTS
        + " union all by name select id as customer_id, day as event_at, known as known_at, purpose, allowed, 'x' as _id from consents"
    )
    both = "a,2024-01-02,2024-01-02,outreach,no\na,2024-01-03,2024-01-03,outreach,yes\nb,2024-01-02,2024-01-02,outreach,yes\n"
    assert "a" in out(taken(tmp_path, both, twice)), "rows that contradict each other under one key are set apart, and a no"


def test_fault_79_todays_no_holds_for_past_cutoffs(tmp_path: Path) -> None:
    found = taken(
        tmp_path, "a,2025-06-01,2025-06-01,outreach,no\nb,2024-02-01,2024-02-01,outreach,no\nb,2025-06-01,2025-06-01,outreach,yes\n"
    )
    found.con.execute("create temp table late as select timestamp '2024-03-01' as since")
    assert out(found, now=False) == "a", "today's state: a's no came later, b's no is taken back since"


def test_fault_79_of_two_words_of_one_moment_the_no_counts(tmp_path: Path) -> None:
    assert out(taken(tmp_path, "a,2024-01-02,2024-01-02,outreach,no\na,2024-01-02,2024-01-02,outreach,yes\n")) == "a"


WORDS = (
    "a,2024-01-02,2024-01-02,outreach,no\n"
    "b,2024-01-02,2024-01-02,newsletter,no\n"
    "c,2024-01-02,2024-01-02,,no\n"
    "d,2024-01-02,2024-01-02, Outreach ,yes\n"
    "e,2024-01-02,2024-01-02,newsletter,yes\n"
)


@pytest.mark.parametrize(
    ("rules", "left_out"),
    [
        ({}, "abc"),
        ({"purposes": ["outreach"]}, "ac"),
        ({"purposes": [" OUTREACH", "newsletter"]}, "abc"),
        ({"opt_in": True}, "abcfghij"),
        ({"opt_in": True, "purposes": ["outreach"]}, "abcefghij"),
        ({"purposes": ["it's"]}, "c"),
    ],
    ids=str,
)
def test_fault_79_consent_counts_by_purpose(tmp_path: Path, rules: dict, left_out: str) -> None:
    assert out(taken(tmp_path, WORDS), **rules) == left_out
