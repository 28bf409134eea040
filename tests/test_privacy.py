"""A purpose is recorded or nobody is scored; a "no" holds everywhere; special categories and agents are no features."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from pipelines import leakage
from pipelines.start.compose import settings_of
from pipelines.start.run import _guarded
from prevenance.base.errors import PrevenanceError
from prevenance.consent.purpose import PURPOSE_EXAMPLES, check_purpose
from prevenance.consent.special import refused_category, special_category
from prevenance.features import SETS, definitions
from prevenance.history.history import cut_history, newest_known_at
from prevenance.sources.declared import Source
from prevenance.sources.files import new_engine
from prevenance.sources.intake import intake
from prevenance.sources.taken import Intake, Policy
from prevenance.tables.canonical import TABLES

pytestmark = pytest.mark.long

ACCOUNTS = "id,since\n" + "".join(f"{one},2024-01-01\n" for one in "abcdefghij")
CUSTOMERS = "select id as customer_id, since as event_at, _file, _line from accounts"
CONSENTS = "select id as customer_id, day as event_at, known as known_at, purpose, allowed, _file, _line from consents"


def taken(folder: Path, consents: str, select: str = CONSENTS) -> Intake:
    (folder / "accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    (folder / "consents.csv").write_text("id,day,known,purpose,allowed\n" + consents, encoding="utf-8")
    files = {"accounts": "accounts.csv", "consents": "consents.csv"}
    source = Source("mine", {"customers": CUSTOMERS, "consents": select}, files, timezone="UTC")
    return intake(new_engine(), source, folder, {name: Policy("quarantine") for name in ("customers", "consents")})


def out(found: Intake, **rules: object) -> str:
    until = (
        newest_known_at(found) if rules.pop("now", True) else min(row[0] for row in found.con.execute("select since from late").fetchall())
    )
    history, counts = cut_history(found, until, **rules)  # type: ignore[arg-type]
    for one in counts.values():
        assert one.read == one.used + sum(one.excluded.values()) + sum(one.quarantined.values())
    left = {row[0] for row in history.con.execute("select distinct customer_id from canonical.customers").fetchall()}
    return "".join(sorted(set("abcdefghij") - left))


@pytest.mark.parametrize("name", PURPOSE_EXAMPLES)
@pytest.mark.parametrize("blank", ["", "  "])
def test_fault_80_purpose_legal_basis_and_controller_are_required(name: str, blank: str) -> None:
    whole = {"purpose": "help", "legal_basis": "contract", "controller": "Halden Foods"}
    check_purpose(**whole)
    with pytest.raises(PrevenanceError, match=rf"E901 key=privacy.{name} — .* FIX: set privacy.{name}, for instance") as refused:
        check_purpose(**{**whole, name: blank})
    assert refused.value.exit_status == 9
    fix = refused.value.fix.rpartition("for instance ")[2].replace("'", "")
    check_purpose(**{**whole, fix.partition("=")[0].removeprefix("privacy."): fix.partition("=")[2]})


@pytest.mark.parametrize("name", PURPOSE_EXAMPLES)
def test_fault_80_null_is_not_recorded_either(name: str) -> None:
    given = settings_of("train", [f"privacy.{name}=null"]).privacy
    with pytest.raises(PrevenanceError, match=rf"E901 key=privacy.{name}"):
        check_purpose(given.purpose, given.legal_basis, given.controller)


def test_fault_80_the_shipped_settings_record_all_three() -> None:
    shipped = settings_of("train", []).privacy
    check_purpose(shipped.purpose, shipped.legal_basis, shipped.controller)


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


SPECIAL = {
    "health": "diagnosis|Maladie|gesundheitszustand|etat_de_sante|estado_salud|stato_di_salute|ziekteverzuim|employeeDisability|Schwerbehinderung|is_pregnant",
    "religion": "religion|Religiöse_Zugehörigkeit|confession|Konfession|creencias|religione|geloof|faith_code|church_tax",
    "ethnicity": "ethnicity|origine_ethnique|ethnische_herkunft|etnia_cliente|razza|race|customer_race|huidskleur|skinColour|Caste",
    "union membership": "union_member|tradeUnion|syndicat|gewerkschaftsmitglied|afiliación_sindical|sindacato|vakbondslid|unionized",
    "political opinion": "political_opinion|opinions_politiques|politischeMeinung|partido_politico|orientamento_politico|politieke voorkeur|Parteibuch",
    "sexual orientation": "sexual_orientation|orientation_sexuelle|Sexuelle_Orientierung|orientacion_sexual|orientamento_sessuale|seksuele_geaardheid|vie_sexuelle",
    "genetic or biometric": "biometric_id|génétique|Fingerabdruck|huella_dactilar|impronta_digitale|vingerafdrukken|DNA|dna_profile|face recognition",
}
INNOCENT = (
    "health_score|health_status|health|union|union_all|union_id|race_condition|is_disabled|disabled_at|fingerprint|party_size|policy|politique_tarifaire|dns_zone|"
    "syndicate_id|sante_score|diagnostics_runs|user_agent|confession_rate|sex_ratio|gender|genre|segment|general_ledger|casting|"
    "product_genre|medical_devices_revenue|credit_score|trace|grace_days|terrace|embrace|general|generation"
)


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in SPECIAL.items() for name in names.split("|")])
def test_fault_78_special_categories_are_known_by_name_in_six_languages(kind: str, name: str) -> None:
    assert special_category(name) == kind
    assert refused_category(name, [name.upper()]) is None, "a name may be permitted"


@pytest.mark.parametrize("name", [*INNOCENT.split("|"), *sorted({column for table in TABLES.values() for column in table.names})])
def test_innocent_names_stay_usable(name: str) -> None:
    assert special_category(name) is None


@pytest.mark.parametrize(
    "name",
    "agent_id|AgentName|support_agent|assignee|assigned_to|owner_email|sales_rep_id|technicien|Sachbearbeiter|medewerker|operatore".split(
        "|"
    ),
)
def test_fault_78_agents_are_no_features(name: str) -> None:
    assert special_category(name, agents=True) == "agent"
    assert special_category(name) is None, "an owner's name may stand on a list"


@pytest.mark.parametrize("name", "user_agent|owner_changes_365d|days_since_owner_change|agents_per_ticket|owner_count".split("|"))
def test_counts_of_agents_are_no_agents(name: str) -> None:
    assert special_category(name, agents=True) is None


def test_no_feature_of_ours_reads_free_text_or_who_works_for_the_company() -> None:
    for one in definitions(list(SETS), [28]):
        assert not re.search(
            r"\b(owner|subject|body|text|name)\b", f"{getattr(one, 'where', '')} {getattr(one, 'value', '')} {getattr(one, 'sql', '')}"
        ), one.name
        assert special_category(one.name, agents=True) is None


def read(folder: Path, header: str, select: str, **settings: object) -> Intake:
    (folder / "people.csv").write_text(header + "\n" + "\n".join(f"{one},2024-01-01,x,y" for one in "abc") + "\n", encoding="utf-8")
    options: dict = {"timezone": "UTC"} | settings
    return intake(new_engine(), Source("mine", {"customers": select}, {"people": "people.csv"}, **options), folder, {})


@pytest.mark.parametrize(
    "select",
    [
        "select id as customer_id, since as event_at, religion from people",  # a column of the select
        "select id as customer_id, since as event_at, Religion as segment from people",  # under another name
        'select id as customer_id, since as event_at, p."religion" as segment from people p',  # table.column
        "select id as customer_id, since as event_at, case when religion = 'x' then 'a' end as segment from people",
        "select id as customer_id, since as event_at, plan as religion from people",
        "select id as customer_id, since as event_at, religion, plan from people union all by name select id, since, null, null from people",
    ],
)
def test_fault_78_a_special_category_is_refused_wherever_a_select_names_it(tmp_path: Path, select: str) -> None:
    with pytest.raises(
        PrevenanceError, match=r'E902 column=[Rr]eligion table=customers — the column "[Rr]eligion" is a special category'
    ) as problem:
        read(tmp_path, "id,since,religion,plan", select)
    assert problem.value.exit_status == 9
    innocent = "select id as customer_id, since as event_at, plan from people"
    assert read(tmp_path, "id,since,religion,plan", innocent).counts["customers"].read == 3


def test_fault_78_what_nobody_asked_for_is_dropped_before_any_select_and_said(tmp_path: Path) -> None:
    sneaky = "select id as customer_id, since as event_at, columns(c -> c like 'rel%') as segment from people"
    with pytest.raises(PrevenanceError, match="E30|E902"):
        read(tmp_path, "id,since,religion,plan", sneaky)
    found = read(tmp_path, "id,since,religion,plan", "select id as customer_id, since as event_at, plan from people")
    assert any("religion not used" in one for one in found.messages)
    permitted = read(
        tmp_path,
        "id,since,diagnosis,plan",
        "select id as customer_id, since as event_at, diagnosis as segment from people",
        permitted=("Diagnosis",),
    )
    assert permitted.con.execute("select distinct segment from canonical.customers").fetchall() == [("x",)]


def test_fault_78_an_agent_may_own_a_customer_and_be_nothing_else(tmp_path: Path) -> None:
    header = "id,since,agent_name,plan"
    assert (
        read(tmp_path, header, "select id as customer_id, since as event_at, agent_name as owner from people").counts["customers"].read == 3
    )
    for select in ("agent_name as segment", 'p."agent_name" AS segment', "agent_name"):
        with pytest.raises(PrevenanceError, match="E902 column=agent_name table=customers — .* people at work are no input") as problem:
            read(tmp_path, header, f"select id as customer_id, since as event_at, {select} from people p")
        assert problem.value.exit_status == 9


@pytest.mark.parametrize(("column", "kind"), [("employee_religion", "religion"), ("agent_id", "work"), ("Gewerkschaft", "union")])
def test_fault_78_a_finished_table_with_such_a_column_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], column: str, kind: str
) -> None:
    table = pd.DataFrame({"customer_id": [f"c{n}" for n in range(40)], "visits": range(40), column: ["a", "b"] * 20, "churn": [0, 1] * 20})
    table.to_csv(tmp_path / "table.csv", index=False)
    asked = [f"out={tmp_path / 'out'}", f"features={tmp_path / 'table.csv'}", "label=churn"]
    assert _guarded("leakage", leakage.body, asked) == 9
    said = capsys.readouterr().err
    assert said.startswith(f"ERROR E902 column={column} ")
    assert kind in said
    assert _guarded("leakage", leakage.body, [*asked, f"permitted=[{column}]"]) == 0
    table.drop(columns=column).to_csv(tmp_path / "table.csv", index=False)
    assert _guarded("leakage", leakage.body, asked) == 0
