"""``prevenance init`` on exports as people have them: hours beside their days, ids that lost zeros, one day on which somebody left."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest
from vendor import history_of

from prevenance.cli.starter import init_command
from prevenance.sources.guess.found import DATE, TEXT, Column, Found, Guess
from prevenance.sources.guess.hours import hour_sql, set_hours
from prevenance.sources.guess.roles import role_fit

DAYS = [f"{day:02}" for day in range(1, 25)]


def started(root: Path, files: dict[str, list[str]]) -> tuple[dict[str, str], Path, Path]:
    """Write exports, run init on them, and return what it wrote by the files' names, the data and the conf."""
    data, conf = root / "data", root / "conf"
    data.mkdir(exist_ok=True)
    for name, lines in files.items():
        (data / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    init_command([str(conf), "source=acme", f"data={data}"])
    return {path.name: path.read_text(encoding="utf-8") for path in (conf / "source").rglob("*.*")}, data, conf


def people(head: str, *, key: str = "X{}") -> list[str]:
    return [head, *(f"{key.format(d)};Firm {d};2024-01-{d}" for d in DAYS)]


CUSTOMERS = {
    "de": ("Kunden.csv", "Kundennummer;Firma;Kunde seit"),
    "en": ("customers.csv", "Customer ID;Company;Signup date"),
    "fr": ("clients.csv", "N° client;Raison sociale;Client depuis"),
    "es": ("clientes.csv", "Código cliente;Nombre;Fecha de alta"),
}
HOURS = {  # language, file, header, a row, table, and what its first instant and its other ones are (UTC)
    "tickets": ("de", "Tickets.csv", "Ticketnummer;Kundennummer;Eröffnet am;Eröffnet um;Geschlossen am;Geschlossen um",
                "T{d};X{d};{d}.03.2024;09:15;{d}.03.2024;17:40 Uhr", "tickets", {"08:15", "16:40"}),
    "halves": ("en", "login log.csv", "Date;Time;Customer ID;User", "2024-03-{d};2:05 PM;X{d};u{d}", "usage", {"14:05"}),
    "spelt": ("fr", "appels.csv", "Date d'appel;Heure;N° client;Canal", "{d}/03/2024;10h30;X{d};téléphone", "contacts", {"09:30"}),
    "digits": ("es", "pedidos.csv", "Nº pedido;Código cliente;Fecha;Hora;Artículo;Importe", "P{d};X{d};{d}-03-2024;0845;tornillo;3,90", "purchases", {"07:45"}),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", ["tickets", *(pytest.param(one, marks=pytest.mark.long) for one in ("halves", "spelt", "digits"))])
def test_a_day_and_the_hour_in_the_column_beside_it_are_one_instant(name: str, tmp_path: Path) -> None:
    language, file, head, row, table, clocks = HOURS[name]
    customers, columns = CUSTOMERS[language]
    rows = [row.format(d=d) for d in DAYS]
    written, data, conf = started(tmp_path, {customers: people(columns), file: [head, *rows]})
    history = history_of("acme", data, conf, "as_of=2024-06-01")
    assert history.counts["quarantined"].sum() == 0
    said = history.inputs.history.con.execute(f"select distinct strftime(event_at, '%H:%M') from canonical.{table}").fetchall()
    assert {one for (one,) in said} == clocks
    assert ", with its hour from " in written[f"{table}.sql"]
    assert (
        "not used: " not in written[f"{table}.sql"]
        or head.split(";")[3] not in written[f"{table}.sql"].split("not used: ")[1].split("\n")[0]
    )


@pytest.mark.long
def test_a_workbook_with_hours_of_its_own_and_a_row_without_one(tmp_path: Path) -> None:
    customers, columns = CUSTOMERS["de"]
    data = tmp_path / "data"
    data.mkdir()
    book = openpyxl.Workbook()
    book.active.append(["Kundennummer", "Datum", "Uhrzeit", "Ereignis"])
    for d in DAYS:
        book.active.append([f"X{d}", date(2024, 3, int(d)), time(9, 30) if d != "07" else None, "Anmeldung"])
    book.save(data / "Anmeldungen.xlsx")
    _, data, conf = started(tmp_path, {customers: people(columns)})
    con = history_of("acme", data, conf, "as_of=2024-06-01").inputs.history.con
    found = con.execute("select event_at, known_at from canonical.usage order by 1").fetchall()
    assert len(found) == 24
    # a day without its hour stays a bare day: known when it is over
    assert found[6] == (datetime(2024, 3, 6, 23), datetime(2024, 3, 7, 23))
    assert found[7] == (datetime(2024, 3, 8, 8, 30), datetime(2024, 3, 8, 8, 30))


def column(name: str, kind: str, *values: str) -> Column:
    return Column(name, kind, 1.0, 24, False, values)


@pytest.mark.parametrize(
    ("names", "hours", "asked"),
    [
        ("Erstellt am|Erstelldatum Uhrzeit|Gelöst am|Gelöst Zeit", ["Erstelldatum Uhrzeit", "Gelöst Zeit"], 0),
        ("fecha apertura|hora apertura|fecha cierre|hora cierre", ["hora apertura", "hora cierre"], 0),
        ("Ouvert le|Fermé le|Heure d'ouverture|Heure de fermeture", ["Heure d'ouverture", "Heure de fermeture"], 0),
        ("Datum|Uhrzeit|Fällig am", ["Uhrzeit"], 0),
        ("Uhrzeit|Eröffnet am|Fällig am", [], 1),  # no day stands before it
        ("opened_date|closed_date|time", ["time"], 1),  # of which?
        ("Date|Start|End", [], 2),
        ("Datum|Dauer|Bearbeitungszeit", [], 0),  # spans of time
        ("Opened|Time 1|Closed|Time 2", ["Time 1", "Time 2"], 0),
    ],
)
def test_which_hour_is_which_days(names: str, hours: list[str], asked: int) -> None:
    told = names.split("|")
    spans = ("uhr", "zeit", "heure", "hora", "time", "dauer", "start", "end")
    clocks = [any(word in one.lower() for word in spans) for one in told]
    columns = [column(one, *((TEXT, "09:15", "17:40") if clock else (DATE, "2024-03-01"))) for one, clock in zip(told, clocks, strict=True)]
    guess, file = Guess(), Found("t", {}, "t", columns, 24)
    set_hours(file, guess)
    assert [one.hour for one in file.columns if one.hour] == hours
    assert len(guess.questions) == asked, guess.questions


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("um", ("09:15", "9:05:30"), True),
        ("Heure", ("9h", "14 h 30"), True),
        ("hora", ("30.12.1899 10:15:00", "1900-01-01 09:00"), True),
        ("Zeit", ("10.30", "9.05"), True),
        ("Preis", ("10.30", "9.05"), False),
        ("PLZ", ("1030", "0915"), False),
        ("first_response_time_minutes", ("130", "1015"), False),
        ("time", ("a quarter past", "noon"), False),
    ],
)
def test_what_is_an_hour(name: str, values: tuple[str, ...], found: bool) -> None:
    assert bool(hour_sql(column(name, TEXT, *values))) == found


def dated(d: str) -> str:
    return f"2024-03-{d}"


ZEROS = {  # the list of customers and its ids, other files with theirs, and an id as all selects give it
    "list": ("000{:03}", {"Tickets.csv": ("Ticketnummer;Kundennummer;Erstellt am;Gelöst am", "T{n};{n};2024-03-{d};2024-03-{d}")}, "7"),
    "prefix": ("C-{:03}", {"orders.csv": ("Order no;Customer ID;Order date;Amount", "O{n};C-{n};2024-03-{d};9.90")}, "C-7"),
    "other way": ("{}", {"tickets.csv": ("Ticket;Customer ID;Opened;Closed", "T{n};00{n:04};2024-03-{d};2024-03-{d}"),
                         "logins.csv": ("Date;Customer ID;User", "2024-03-{d};{n};u{n}")}, "7"),
    "floats": ("{:05}", {"demandes.csv": ("N° demande;N° client;Ouvert le;Résolu le", "D{n};{n}.0;{d}/03/2024;{d}/03/2024")}, "7"),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", ["list", *(pytest.param(one, marks=pytest.mark.long) for one in ("prefix", "other way", "floats"))])
def test_ids_that_differ_by_leading_zeros_join(name: str, tmp_path: Path) -> None:
    key, others, seven = ZEROS[name]
    customers, columns = CUSTOMERS["fr" if name == "floats" else "de" if name == "list" else "en"]
    files = {customers: [columns, *(f"{key.format(int(d))};Firm {d};2024-01-{d}" for d in DAYS)]}
    files |= {file: [head, *(row.format(n=int(d), d=d) for d in DAYS)] for file, (head, row) in others.items()}
    written, data, conf = started(tmp_path, files)
    history = history_of("acme", data, conf, "as_of=2024-06-01")
    assert history.counts["quarantined"].sum() == 0
    assert history.counts["used"]["customers"] == 24
    con, tables = history.inputs.history.con, [one for one, used in history.counts["used"].items() if used]
    assert all(
        con.execute(f"select count(*) > 0 from canonical.{one} where customer_id = '{seven}'").fetchall() == [(True,)] for one in tables
    )
    assert len(tables) == 1 + len(others)
    for table in tables:
        assert "zeros" in written[f"{table}.sql"].split("\nselect")[0]
    assert "whose rows" not in written.get("questions.md", "")


@pytest.mark.parametrize("side", ["customers", pytest.param("tickets", marks=pytest.mark.long)])
def test_zeros_that_tell_two_customers_apart_are_asked_for(side: str, tmp_path: Path) -> None:
    customers, columns = CUSTOMERS["en"]
    clash = "0007" if side == "customers" else "007"
    known = [f"{int(d):06};Firm {d};2024-01-{d}" for d in DAYS] + ([f"{clash};Another;2024-01-01"] if side == "customers" else [])
    rows = [f"T{d};{int(d)};2024-03-{d};2024-03-{d}" for d in DAYS] + ([f"T99;{clash};2024-03-01;2024-03-02"] if side == "tickets" else [])
    written, _, _ = started(tmp_path, {customers: [columns, *known], "tickets.csv": ["Ticket;Customer ID;Opened;Closed", *rows]})
    assert "regexp" not in "".join(text for name, text in written.items() if name.endswith(".sql"))
    assert "are in customers without leading zeros, 0% as they stand; but so two" in written["questions.md"]


@pytest.mark.long
@pytest.mark.parametrize("there", ["Firm {}", "FIRM {}", "firm {} "])
def test_the_comment_says_the_share_that_the_select_joins(there: str, tmp_path: Path) -> None:
    customers, columns = CUSTOMERS["en"]
    rows = [f"T{d};{there.format(d) if d < '13' else f'Firm {d}'};2024-03-{d};2024-03-{d}" for d in DAYS]
    written, _, _ = started(tmp_path, {customers: people(columns), "tickets.csv": ["Ticket;Company;Opened;Closed", *rows]})
    assert "looked up in customers by Company (100% of its values are known there)" in written["tickets.sql"]


LEFT = {  # language, file, header, a row with its one day of an end
    "de": ("de", "Verträge.csv", "Vertragsnr.;Kundennummer;Vertragsbeginn;Kündigungsdatum;Monatsbetrag", "V{d};X{d};2024-01-{d};{left};99"),
    "en": ("en", "contracts.csv", "Contract no;Customer ID;Start;Left on;Seats", "V{d};X{d};2024-01-{d};{left};3"),
    "fr": ("fr", "abonnements.csv", "N° abonnement;N° client;Date de début;Fin prévue;Date de sortie", "V{d};X{d};2024-01-{d};2024-12-31;{left}"),
    "es": ("es", "contratos.csv", "Nº contrato;Código cliente;Fecha de inicio;Fecha de baja;Cuota", "V{d};X{d};2024-01-{d};{left};49"),
    "log": ("de", "Verträge.csv", "Vertragsnr.;Kundennummer;Vertragsbeginn;Monatsbetrag", "V{d};X{d};2024-01-{d};99"),
}  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("name", ["de", *(pytest.param(one, marks=pytest.mark.long) for one in ("log", "en", "fr", "es"))])
def test_the_one_day_on_which_somebody_left_ends_the_contract(name: str, tmp_path: Path) -> None:
    language, file, head, row = LEFT[name]
    customers, columns = CUSTOMERS[language]
    left = {d: "2024-04-15" if d < "04" else "2027-04-15" if d < "06" else "" for d in DAYS}
    files = {customers: people(columns), file: [head, *(row.format(d=d, left=left[d]) for d in DAYS)]}
    if name == "log":
        files["Abgänge.csv"] = ["Kundennummer;Austrittsdatum;Grund", *(f"X{d};{day};Preis" for d, day in left.items() if day)]
    written, data, conf = started(tmp_path, files)
    history = history_of("acme", data, conf, "as_of=2024-06-01")
    assert history.counts["quarantined"].sum() == 0
    con = history.inputs.history.con
    ends = "select customer_id, (event_at + interval 2 hour)::date, (known_at + interval 2 hour)::date from canonical.subscriptions"
    found = con.execute(f"{ends} where event <> 'started' and event_at < '2025-01-01' order by 1").fetchall()
    # a day is known when it is over, and a day that lies ahead is no knowledge of the past: those who leave in 2027 are at risk like all others
    assert found == [(f"X0{n}", date(2024, 4, 15), date(2024, 4, 16)) for n in (1, 2, 3)]
    assert con.execute("select distinct event from canonical.subscriptions order by 1").fetchall() == [("ended",), ("started",)]
    labels = history.labels("churn", cutoffs=["2024-03-01"])
    assert (len(labels), int(labels.sum())) == (24, 3)
    assert "X04" in {customer for customer, _ in history.labels("churn", cutoffs=["2024-05-01"]).index}
    assert ("Is it the last day?" in written.get("questions.md", "")) == (name in ("de", "es"))
    assert "known from that day on" in written["subscriptions.sql"]
    assert "kind" in written["acme.yaml"]
    assert '"contract"' in written["acme.yaml"]


@pytest.mark.long
def test_who_runs_by_the_status_after_that_day_has_given_notice(tmp_path: Path) -> None:
    customers, columns = CUSTOMERS["de"]
    rows = [f"V{d};X{d};2024-01-{d};{'2024-04-15' if d < '07' else ''};{'beendet' if d < '04' else 'aktiv'}" for d in DAYS]
    files = {customers: people(columns), "Verträge.csv": ["Vertragsnr.;Kundennummer;Vertragsbeginn;Kündigungsdatum;Status", *rows]}
    _, data, conf = started(tmp_path, files)
    con = history_of("acme", data, conf, "as_of=2024-06-01").inputs.history.con
    found = con.execute("select event, count(*) from canonical.subscriptions group by 1 order by 1").fetchall()
    assert found == [("ended", 3), ("notice", 3), ("started", 24)]


TITLED = {  # a title that a spreadsheet filled up with blank cells, and what stands below
    "de": (["Mitgliederliste Stand 28.06.2026;;;", ";;;", "Mitgliedsnr.;Name;Eintrittsdatum;Ort"], "M{d};Firma {d};{d}.01.2024;Ulm"),
    "fr": (["Liste des adhérents\t\t\t", "N° adhérent\tNom\tDate d'adhésion\tVille"], "M{d}\tSociété {d}\t{d}/01/2024\tLyon"),
    "es": (["Socios,,", "a 28/06/2026,,", "Nº socio,Nombre,Fecha de ingreso"], "M{d},Empresa {d},{d}/01/2024"),
}


@pytest.mark.long
@pytest.mark.parametrize("name", TITLED)
def test_a_title_that_is_filled_up_with_blank_cells_is_no_header(name: str, tmp_path: Path) -> None:
    above, row = TITLED[name]
    written, data, conf = started(
        tmp_path,
        {"Liste.csv": [*above, *(row.format(d=d) for d in DAYS)],
         "check-ins.csv": ["date,member no", *(f"2024-03-{d} 10:00,M{d}" for d in DAYS)]},
    )  # fmt: skip
    assert history_of("acme", data, conf, "as_of=2024-06-01").counts["used"]["customers"] == 24
    assert "-- since: " in written["customers.sql"]


@pytest.mark.long
def test_a_date_that_is_sure_says_how_those_beside_it_are_written(tmp_path: Path) -> None:
    customers, columns = CUSTOMERS["fr"]
    rows = [f"F{d};X{d};03/0{int(d) % 9 + 1}/2024;{d}/04/2024;9,50" for d in DAYS]
    both = "N° facture;N° client;Date de facture;{};Montant"
    written, _, _ = started(tmp_path, {customers: people(columns), "factures.csv": [both.format("Échéance"), *rows]})
    assert "is 03/04 the 3rd" not in written["questions.md"]
    alone = tmp_path / "alone"
    alone.mkdir()
    rows = [";".join([*one.split(";")[:3], one.split(";")[4]]) for one in rows]
    written, _, _ = started(alone, {customers: people(columns), "factures.csv": [both.replace("{};", ""), *rows]})
    assert "is 03/04 the 3rd" in written["questions.md"]
    assert not role_fit("owner", "Statut commercial")
