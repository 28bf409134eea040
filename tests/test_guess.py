"""``prevenance init``: exports of seven products and plain ones in four languages become a source that runs, and what is unsure is asked."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from vendor import EXPORTS, history_of

from prevenance.cli.starter import init_command
from prevenance.sources.guess.found import DATE, TEXT, Column, Found
from prevenance.sources.guess.plan import part_of, roles_of
from prevenance.sources.guess.profile import columns_of
from prevenance.sources.guess.roles import role_fit, said_events, spoken_language, table_fit
from prevenance.sources.guess.sniff import view_name

DAYS = [f"{day:02}" for day in range(1, 25)]


def sheet(head: str, rows: list[str], sign: str = ",") -> str:
    return "\n".join([head, *rows]).replace("|", sign) + "\n"


# ruff: noqa: E501
PLAIN = {
    "en": {
        "customers.csv": sheet("Customer ID|Company|Signup date|Country", [f"C-{d}|Firm {d}|2024-01-{d}|DE" for d in DAYS]),
        "contracts.csv": sheet("Contract no|Customer ID|Start|Cancelled on|Seats|Monthly fee", [f"K{d}|C-{d}|2024-01-{d}|{'2024-03-02' if d < '05' else ''}|3|99" for d in DAYS]),
        "support tickets.csv": sheet("Number|Customer|Opened|Closed|Priority|Description", [f"{d}|C-{d}|2024-03-{d} 10:00|2024-03-{d} 12:00|high|secret words" for d in DAYS]),
    },
    "fr": {
        "clients.csv": sheet("N° client|Raison sociale|Client depuis", [f"CL{d}|Société {d}|{d}/01/2024" for d in DAYS], ";"),
        "abonnements.csv": sheet("Réf. abonnement|N° client|Date de début|Date de résiliation|Montant mensuel", [f"A{d}|CL{d}|{d}/01/2024|{'02/03/2024' if d < '05' else ''}|49,50" for d in DAYS], ";"),
        "factures.csv": sheet("N° facture|N° client|Date de facture|Échéance|Date de paiement|Montant TTC", [f"F{d}|CL{d}|{d}/02/2024|{d}/03/2024|{d}/03/2024|1 049,50 €" for d in DAYS], ";"),
        "demandes.csv": sheet("N° demande|N° client|Ouvert le|Résolu le|Priorité", [f"{d}|CL{d}|{d}/03/2024 10:00|{d}/03/2024 12:00|haute" for d in DAYS], ";"),
    },
    "de": {
        "Kunden.csv": sheet("Kundennr.|Firma|Kunde seit", [f"000{d}|Firma {d}|{d}.01.2024" for d in DAYS], ";"),
        "Verträge.csv": sheet("Vertragsnr.|Kundennr.|Vertragsbeginn|Gekündigt am|Monatsbetrag", [f"V{d}|000{d}|{d}.01.2024|{'02.03.2024' if d < '05' else ''}|1.049,00 €" for d in DAYS], ";"),
        "Anfragen.csv": sheet("Vorgang|Kundennr.|Zeitpunkt|Aktion|Bearbeiter", [f"T{d}|000{d}|{d}.03.2024 1{n}:00|{step}|Frau Meier" for d in DAYS for n, step in enumerate(("Neu angelegt", "Zugewiesen", "Gelöst"))], ";"),
    },
    "es": {
        "clientes.csv": sheet("Código cliente|Nombre|Fecha de alta", [f"X{d}|Empresa {d}|{d}-01-2024" for d in DAYS], ";"),
        "pedidos.csv": sheet("Nº pedido|Código cliente|Fecha|Artículo|Cantidad|Importe", [f"P{d}|X{d}|{d}-02-2024|tornillo|2|3,90" for d in DAYS], ";"),
        "incidencias.csv": sheet("Nº incidencia|Código cliente|Fecha apertura|Fecha cierre|Motivo", [f"{d}|X{d}|{d}-03-2024|{d}-03-2024|otro" for d in DAYS], ";"),
    },
}  # fmt: skip
USED = {
    "en": {"customers": 24, "subscriptions": 28, "tickets": 48},
    "fr": {"customers": 24, "subscriptions": 28, "tickets": 48, "invoices": 47},  # a payment of the last day is known after its last ticket
    "de": {"customers": 24, "subscriptions": 28, "tickets": 72},
    "es": {"customers": 24, "tickets": 48, "purchases": 24},
    "messy": {"customers": 24, "subscriptions": 28, "tickets": 48},
}


def exports(root: Path, name: str) -> Path:
    """Write the exports of a company and return their folder."""
    data = root / "data"
    data.mkdir()
    for file, text in PLAIN.get(name, {}).items():
        (data / file).write_text(text, encoding="cp1252" if name == "fr" else "utf-8-sig")
    if name == "messy":
        book = openpyxl.Workbook()
        rows = [["Customer list, for the board"], [], ["Acc. no", "Name", "Since", "Contract start", "Contract end", "MRR (EUR)"]]
        rows += [[f"A{d}", f"Co {d}", f"2023-12-{d}", f"2024-01-{d}", "2024-03-02" if d < "05" else None, 99] for d in DAYS]
        for row in [*rows, ["Total", None, None, None, None, 2376]]:
            book.active.append(row)
        book.create_sheet("Notes").append(["not for outside"])
        book.save(data / "Board.xlsx")
        for half in ("2024-1", "2024-2"):
            own = [d for d in DAYS if (d < "13") == (half == "2024-1")]
            text = sheet("Ref|Acc. no|Created|Done|Prio", [f"T{d}|A{d}|{d}.03.2024 10:00|{d}.03.2024 12:00|hoch" for d in own], ";")
            (data / f"tix {half}.csv").write_text(text, encoding="cp1252")
    return data


@pytest.mark.parametrize("name", ["de", *(pytest.param(one, marks=pytest.mark.long) for one in ("en", "fr", "es", "messy"))])
def test_plain_exports_become_a_source_that_runs(name, tmp_path):
    data, conf = exports(tmp_path, name), tmp_path / "conf"
    said = init_command([str(conf), "source=acme", f"data={data}"])
    assert "ADAPT" not in said
    history = history_of("acme", data, conf)
    assert history.counts["used"].to_dict() == USED[name]
    assert history.counts["quarantined"].sum() == 0
    written = "".join(path.read_text(encoding="utf-8") for path in (conf / "source").rglob("*") if path.is_file())
    for value in ("secret words", "Meier", "Firm 07", "Société 07", "000" + "07", "Co 07"):
        assert value not in written
    before = {path: path.read_bytes() for path in conf.rglob("*.*")}
    with pytest.raises(Exception, match="E213"):
        init_command([str(conf), "source=acme", f"data={data}"])
    assert {path: path.read_bytes() for path in conf.rglob("*.*")} == before


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(path.name for path in EXPORTS.iterdir()))
def test_exports_of_products_take_the_ready_selects(name, tmp_path):
    conf = tmp_path / "conf"
    init_command([str(conf), "source=acme", f"data={EXPORTS / name}"])
    zone = "Europe/Paris"
    found, ready = (history_of(one, EXPORTS / name, own, f"source.timezone={zone}") for one, own in (("acme", conf), (name, None)))
    assert found.counts["used"].to_dict() == ready.counts["used"].to_dict()


@pytest.mark.long
def test_two_products_whose_customers_do_not_join_are_not_mixed(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for name in ("stripe", "zendesk"):
        for path in (EXPORTS / name).iterdir():
            shutil.copy(path, data)
    said = init_command([str(tmp_path / "conf"), "source=acme", f"data={data}"])
    asked = (tmp_path / "conf" / "source" / "acme" / "questions.md").read_text(encoding="utf-8")
    assert "source/acme/tickets.sql" not in said
    assert "zendesk: its customers are none of those of stripe" in asked


def test_a_file_that_names_contracts_leads_to_their_customers(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    (data / "accounts.csv").write_text(sheet("account_id|signup_date", [f"A{d}|2024-01-{d}" for d in DAYS]))
    (data / "subscriptions.csv").write_text(
        sheet("subscription_id|account_id|start_date|end_date", [f"S{d}|A{d}|2024-01-{d}|2024-06-01" for d in DAYS])
    )
    (data / "usage.csv").write_text(sheet("subscription_id|day|feature|count", [f"S{d}|2024-02-{d}|maps|3" for d in DAYS]))
    (data / "reviews.csv").write_text(sheet("who|day|nps", [f"nobody {d}|2024-02-{d}|3" for d in DAYS]))
    (data / "broken.xlsx").write_bytes(b"PK\x03\x04 no workbook")
    init_command([str(tmp_path / "conf"), "source=acme", f"data={data}"])
    folder = tmp_path / "conf" / "source" / "acme"
    assert "from subscriptions where \"subscription_id\" <> '' group by 1 having" in (folder / "usage.sql").read_text()
    assert not (folder / "feedback.sql").exists()
    asked = (folder / "questions.md").read_text()
    assert "reviews: whose rows are they?" in asked
    assert "broken.xlsx was not read" in asked


def test_names_say_what_columns_are_in_four_languages():
    for opened, resolved in (
        ("Opened", "Closed"),
        ("Ouvert le", "Résolu le"),
        ("Erstellt am", "Geschlossen am"),
        ("Fecha apertura", "Fecha cierre"),
    ):
        assert role_fit("opened", opened) > role_fit("resolved", opened)
        assert role_fit("resolved", resolved) > role_fit("opened", resolved)
    assert table_fit("invoices", "Rechnungen 2024") > table_fit("tickets", "Rechnungen 2024")
    assert said_events("tickets", ("En attente", "Résolu", "Wieder geöffnet", "Remarque")) == {"En attente": "waiting", "Résolu": "resolved", "Wieder geöffnet": "reopened"}  # fmt: skip
    assert [spoken_language(one) for one in (["id", "date"], ["Kunde"], ["Date de début"], ["Fecha"])] == ["en", "de", "fr", "es"]


def test_values_say_how_dates_and_money_are_written():
    from prevenance.sources.files import new_engine

    con = new_engine()
    cells = {"a": "'0' || (i % 9 + 1) || '/02/2024'", "b": "i % 28 + 1 || '/02/2024'", "c": "'$1,' || (100 + i) || '.50'", "d": "'00' || i", "e": "1700000000 + i"}  # fmt: skip
    con.execute(
        "create table raw.t as select "
        + ", ".join(f'cast({sql} as varchar) as "{name} date"' for name, sql in cells.items())
        + ", 'f' as _file, i as _line from range(60) r(i)"
    )
    a, b, c, d, e = columns_of(con, "t")[0]
    assert (a.kind, a.either, a.formats) == ("date", True, ("%d/%m/%Y",))
    assert (b.kind, b.either) == ("date", False)
    assert (c.kind, c.comma, "[^0-9.+-]" in c.read) == ("money", False, True)
    assert d.kind == "text"
    assert (e.kind, e.timed) == ("date", False)


TOTALS = {
    "de": ("Kunden.csv|Kundennummer;Firma;Kunde seit", "Nutzung_täglich.csv|Datum;Kundennummer;Aktive Nutzer;Anmeldungen;Dokumente bearbeitet;Sitzungsminuten;Fehlermeldungen"),
    "en": ("customers.csv|customer_id;name;signup_date", "usage_by_day.csv|day;customer_id;active_users;logins;documents_edited;avg_minutes;errors"),
    "fr": ("clients.csv|N° client;Raison sociale;Client depuis", "utilisation.csv|Jour;N° client;Utilisateurs actifs;Connexions;Documents traités;Durée (min);Erreurs"),
    "es": ("clientes.csv|Código cliente;Nombre;Fecha de alta", "uso_diario.csv|Fecha;Código cliente;Usuarios activos;Inicios de sesión;Documentos editados;Minutos;Errores"),
}  # fmt: skip


def started(root: Path, files: dict[str, list[str]]) -> tuple[dict[str, str], Path, Path]:
    """Write exports, run init on them, and return what it wrote by the files' names, the data and the conf."""
    data, conf = root / "data", root / "conf"
    data.mkdir()
    for name, lines in files.items():
        (data / name).write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    init_command([str(conf), "source=acme", f"data={data}"])
    return {path.name: path.read_text(encoding="utf-8") for path in (conf / "source").rglob("*.*")}, data, conf


def people(head: str, *more: str) -> tuple[str, list[str]]:
    name, _, columns = head.partition("|")
    return name, [columns, *(f"X{d};Firm {d};2024-01-{d}" for d in DAYS), *more]


@pytest.mark.parametrize("name", ["de", *(pytest.param(one, marks=pytest.mark.long) for one in ("en", "fr", "es"))])
def test_a_row_of_a_day_counts_for_as_many_logins_and_errors_as_it_says(name, tmp_path):
    customers, (file, _, head) = people(TOTALS[name][0]), TOTALS[name][1].partition("|")
    rows = [(d, day) for day in DAYS for d in DAYS[:12]]
    lines = [f"2024-02-{day};X{d};{int(d) % 4 + 1};{int(d) % 3 + int(day) % 5};{int(day) % 7};12.5;{int(day) % 4 // 3}" for d, day in rows]
    written, data, conf = started(tmp_path, {customers[0]: customers[1], file: [head, *lines]})
    usage = written["usage.sql"]
    assert history_of("acme", data, conf).counts["used"]["usage"] == sum(
        int(d) % 3 + int(day) % 5 + int(day) % 4 // 3 + (int(day) % 7 > 0) for d, day in rows
    )
    people_column, documents, minutes = (head.split(";")[place] for place in (2, 4, 5))
    assert "user_id" not in usage
    assert f"'use' as kind, '{documents}' as feature, \"{documents}\" as quantity" in usage
    assert f"-- not used: {people_column}, {minutes}" in usage
    assert f'"{people_column}" says how many people' in written["questions.md"]


@pytest.mark.parametrize(
    ("head", "rows", "used"),
    [
        pytest.param("day;customer_id;count", [f"2024-02-{day};X{d};{int(d) % 3 + 1}" for day in DAYS for d in DAYS], 24 * 48, id="logins"),
        pytest.param("day;customer_id;event;count", [f"2024-02-{day};X{d};{kind};3" for day in DAYS for d in DAYS for kind in ("login", "open report")], 24 * 24 * 4, id="words"),
        pytest.param("day;customer_id;user_id;logins", [f"2024-02-{day};X{d};{user}{d};2" for day in DAYS for d in DAYS for user in (7, 8)], 24 * 24 * 4, id="people"),
        pytest.param("day;customer_id;minutes", [f"2024-02-{day};X{d};{int(d) % 9 + 20}" for day in DAYS for d in DAYS], 24 * 24, id="spans"),
    ],
)  # fmt: skip
@pytest.mark.long
def test_counts_of_other_shapes_count_too_and_spans_of_time_do_not(head, rows, used, tmp_path):
    customers = people(TOTALS["en"][0])
    written, data, conf = started(tmp_path, {customers[0]: customers[1], "logins.csv": [head, *rows]})
    assert history_of("acme", data, conf).counts["used"]["usage"] == used
    assert ("user_id" in written["usage.sql"]) == ("user_id" in head)
    assert history_of("acme", data, conf).counts["quarantined"].sum() == 0


@pytest.mark.parametrize(
    "names",
    [
        ("Kundennummer", "Firma", "Kundensegment", "Kundenbetreuer", "Branche", "Land", "Kunde seit"),
        ("Kundennr.", "Kundenname", "Kundenkategorie", "Kundenverantwortlicher", "Wirtschaftszweig", "Kundenland", "Seit"),
        ("Customer ID", "Company", "Customer segment", "Account manager", "Industry", "Country", "Customer since"),
        ("N° client", "Raison sociale", "Segment de clientèle", "Chargé de clientèle", "Secteur d’activité", "Pays", "Client depuis"),
        ("Code client", "Nom", "Typologie client", "Responsable de compte", "Activité", "Pays du client", "Depuis"),
        ("Código cliente", "Razón social", "Segmento de cliente", "Ejecutivo de cuenta", "Sector", "País", "Cliente desde"),
    ],
)
def test_segment_owner_industry_and_country_of_customers_are_known_in_four_languages(names):
    kinds = ("text", "text", "text", "text", "text", "text", "date")
    columns = [
        Column(one, kind, 1.0, 200 if place < 2 else 4, place == 0) for place, (one, kind) in enumerate(zip(names, kinds, strict=True))
    ]
    more = [Column(one, "text", 1.0, 200, False) for one in ("PLZ", "Bundesland", "Ville")]
    roles = roles_of(Found("t", {}, "list", [*columns, *more], 200), "customers")
    wanted = dict(zip(("customer", "name", "segment", "owner", "industry", "country", "since"), names, strict=True))
    assert {role: roles.get(role) for role in wanted} == wanted


def test_names_of_tables_keep_the_letters_of_their_files():
    taken: set[str] = set()
    titles = [
        "Verträge",
        "Nutzung_täglich",
        "Größe & Maß",
        "Données clients",
        "Año fiscal",
        "Verträge",
        "Vertra\u0308ge 2024",
        "œuvres d’été",
        "名簿",
    ]
    for title in titles:
        taken.add(view_name(title, taken))
    assert taken == {"vertraege", "nutzung_taeglich", "groesse_mass", "donnees_clients", "ano_fiscal", "vertraege_2", "vertraege_2024", "oeuvres_d_ete", "file"}  # fmt: skip


ENDS = {
    "de": "Verträge.csv|Vertragsnummer;Kundennummer;Vertragsbeginn;Vertragsende;Kündigungsdatum;Vertragsstatus|aktiv|gekündigt|beendet",
    "en": "contracts.csv|Contract no;Customer ID;Start date;Contract end;Cancellation date;Status|active|cancelled|expired",
    "fr": "contrats.csv|N° contrat;N° client;Date de début;Fin de contrat;Date de résiliation;Statut|en cours|résilié|terminé",
    "es": "contratos.csv|Nº contrato;Código cliente;Fecha de inicio;Fin del contrato;Fecha de baja;Estado|vigente|baja solicitada|terminado",
}


@pytest.mark.parametrize("name", ["de", *(pytest.param(one, marks=pytest.mark.long) for one in ("en", "fr", "es"))])
def test_the_planned_end_of_a_running_contract_is_no_end(name, tmp_path):
    customers, (file, head, *status) = people(TOTALS[name][0]), ENDS[name].split("|")
    lines = []
    for place, day in enumerate(DAYS):
        notice, says = ("2024-05-01", status[1]) if place < 6 else ("", status[2] if place < 9 else status[0])
        # six with a notice, three that ran out, and fifteen that run: three of them with an end in the past
        lines.append(f"K{day};X{day};2024-01-{day};2024-{'06' if place < 12 else '12'}-{day};{notice};{says}")
    written, data, conf = started(tmp_path, {customers[0]: customers[1], file: [head, *lines]})
    history = history_of("acme", data, conf, "as_of=2025-01-15")
    assert history.counts["used"]["subscriptions"] == 24 + 6 + 9
    assert "as ends_on" in written["subscriptions.sql"].split("'notice'")[1].split("union")[0]


@pytest.mark.long
@pytest.mark.parametrize(("head", "asked"), [("contract;customer_id;start_date;end_date", True), ("contract;customer_id;start_date;end_date;cancelled_on", False)])  # fmt: skip
def test_ends_that_nothing_says_are_over_are_asked_for(head, asked, tmp_path):
    customers = people(TOTALS["en"][0])
    lines = [f"K{d};X{d};2024-01-{d};2024-06-{d}{';2024-05-01' if 'cancelled' in head else ''}" for d in DAYS]
    written, _, _ = started(tmp_path, {customers[0]: customers[1], "contracts.csv": [head, *lines]})
    assert ("Is it the end that is planned?" in written.get("questions.md", "")) == asked


CLOSED = {
    "de": "Tickets.csv|Ticketnummer;Kundennummer;Status;Erstellt am;Gelöst am|geschlossen|offen",
    "en": "tickets.csv|Ticket ID;Customer ID;State;Created;Closed at|Closed|Open",
    "fr": "demandes.csv|N° demande;N° client;Statut;Ouvert le;Fermé le|Fermé|En attente",
    "es": "incidencias.csv|Nº incidencia;Código cliente;Estado;Fecha apertura;Fecha cierre|Cerrado|Abierto",
}


@pytest.mark.parametrize("name", ["de", *(pytest.param(one, marks=pytest.mark.long) for one in ("en", "fr", "es"))])
@pytest.mark.parametrize("many", [False, pytest.param(True, marks=pytest.mark.long)])
def test_a_ticket_that_is_closed_without_a_time_is_asked_for_and_told(name, many, tmp_path):
    customers, (file, head, closed, still) = people(TOTALS[name][0]), CLOSED[name].split("|")
    lost = {1: "32.13.2024", 2: ""} if not many else dict.fromkeys(range(1, 90), "")
    ends = [lost.get(place, "" if place % 40 == 0 else f"2024-03-{DAYS[place % 24]} 1{place % 10}:00") for place in range(400)]
    lines = [
        f"T{n};X{DAYS[n % 24]};{still if n % 40 == 0 and n not in lost else closed};2024-02-{DAYS[n % 24]} 10:00;{end}"
        for n, end in enumerate(ends)
    ]
    written, data, conf = started(tmp_path, {customers[0]: customers[1], file: [head, *lines]})
    assert f"{len(lost)} tickets are {closed}" in written["questions.md"]
    # a few are set apart one by one; many would stop the run
    history = history_of("acme", data, conf)
    assert history.counts["quarantined"]["tickets"] == (0 if many else 2)


def accounts(*more: str, key: str = "ID du compte") -> str:
    """Return an export of 60 accounts; the first two have no number in the books."""
    known = [f"001Q{n:02}|Société {n:02}|{f'CC{n:02}' if n > 2 else ''}|2023-12-01" for n in range(1, 61)]
    return sheet(f"{key}|Nom du compte|Code client|Date de création", [*known, *more])


@pytest.mark.parametrize(
    "key",
    [
        "ID du compte",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("Identifiant du compte", "N° de compte", "compte_id", "ID client")),
    ],
)
def test_accounts_of_which_one_stands_twice_are_the_customers_all_the_same(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    # the same again, and one company under two ids: its name leads to neither
    (folder / "Comptes.csv").write_text(
        accounts(f"001Q{DAYS[3]}|Société {DAYS[3]}|CC{DAYS[3]}|2023-12-01", f"001Q99|Société {DAYS[5]}|CC99|2023-12-01", key=key)
    )
    (folder / "Contrats.csv").write_text(sheet(f"Contrat|{key}|Date de début|Date de fin", [f"K{d}|001Q{d}|2024-01-{d}|" for d in DAYS]))
    (folder / "tickets.csv").write_text(
        sheet("Ticket|Société|Créé le|Résolu le", [f"{d}|Société {d}|2024-03-{d} 10:00|2024-03-{d} 12:00" for d in DAYS])
    )
    (folder / "Opportunités.csv").write_text(
        sheet(
            f"ID opportunité|{key}|Étape|Date de création|Date de clôture|Probabilité (%)",
            [f"O{d}|001Q{d}|Proposition|2024-03-{d}|2027-03-{d}|50" for d in DAYS],
        )
    )
    with zipfile.ZipFile(folder / "usage.zip", "w") as packed:
        for month in ("2024_02", "2024_03"):
            packed.writestr(
                f"events_{month}.csv",
                sheet("compte_id|horodatage|fonction", [f"001Q{d}|{month.replace('_', '-')}-{d} 09:00:00|export" for d in DAYS]),
            )
        packed.writestr("notes.txt", "made by hand")
    init_command([str(tmp_path / "conf-x"), "source=x", f"data={folder}"])
    asked = (tmp_path / "conf-x" / "source" / "x" / "questions.md").read_text()
    assert "What is Opportunités?" in asked
    assert "whose rows" not in asked
    history = history_of("x", folder, tmp_path / "conf-x", "tables.tickets.on_bad_row=quarantine", "tables.customers.on_bad_row=quarantine")
    assert dict(history.counts["used"]) == {
        "customers": 61,
        "subscriptions": 24,
        "tickets": 46,
        "usage": 48,
    }


@pytest.mark.parametrize(
    ("asked", "ended"),
    [
        ("Date de demande de résiliation", "Date de résiliation"),
        ("Kündigungseingang", "Kündigung zum"),
        ("Cancellation requested on", "Cancelled on"),
    ],
)
def test_the_day_of_the_request_is_the_notice_where_the_end_has_its_own(asked: str, ended: str) -> None:
    columns = [
        Column("Contrat", "text", 1.0, 60, True),
        *(Column(one, "date", 0.3, 20, False) for one in ("Date de début", "Date de fin", asked, ended)),
    ]
    found = roles_of(Found("k", {}, "Contrats", columns, 60), "subscriptions")
    assert (found["noticed"], found["ended"], found["started"]) == (asked, ended, "Date de début")
    del columns[3]
    found = roles_of(Found("k", {}, "Contrats", columns, 60), "subscriptions")
    assert (found["noticed"], found["ended"]) == (ended, "Date de fin")


def test_what_a_customer_wrote_is_no_category(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "Comptes.csv").write_text(accounts())
    for name, heads in (("tickets.csv", "Sujet|Motif"), ("tickets2.csv", "Motif|Type")):
        rows = [f"{name[7]}{d}|Société {d}|2024-03-{d} 10:00|Bonjour de {d} personnes|{'panne' if d < '12' else 'accès'}" for d in DAYS]
        (folder / name).write_text(sheet(f"Ticket|Société|Créé le|{heads}", rows))
    init_command([str(tmp_path / "conf-x"), "source=x", f"data={folder}"])
    select = (tmp_path / "conf-x" / "source" / "x" / "tickets.sql").read_text()
    assert "category: Motif" in select
    assert "not used: Sujet" in select
    assert "not used: Motif" in select


def test_the_number_of_an_invoice_is_no_column_that_is_hardly_ever_filled(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "Comptes.csv").write_text(accounts())
    rows = [f"FA{d}|{'FA01' if d == '24' else ''}|CC{d}|2024-03-{d}|100" for d in DAYS if d > "02"]
    (folder / "factures.csv").write_text(sheet("N° pièce|Facture d'origine|Code client|Date de facture|Montant", rows))
    init_command([str(tmp_path / "conf-x"), "source=x", f"data={folder}"])
    select = (tmp_path / "conf-x" / "source" / "x" / "invoices.sql").read_text()
    assert "-- invoice: N° pièce" in select
    assert "looked up in comptes by Code client" in select


NEVER = {  # the list of customers, the invoices, kinds of rows that never were, and those that take money back
    "en": ("customers|Customer;Company;Signup date;Type", "invoices|Invoice no;Customer;Invoice date;Amount;Type", "Draft", "Credit note", "Invoice", "Sandbox"),
    "de": ("Kunden|Kundennr.;Firma;Kunde seit;Art", "Rechnungen|Rechnungsnr.;Kundennr.;Rechnungsdatum;Betrag;Belegart", "Entwurf", "Gutschrift", "Rechnung", "Test"),
    "fr": ("clients|N° client;Raison sociale;Client depuis;Type", "factures|N° facture;N° client;Date de facture;Montant TTC;Nature", "Brouillon", "Avoir", "Facture", "Interne"),
    "es": ("clientes|Código cliente;Nombre;Fecha de alta;Tipo", "facturas|Nº factura;Código cliente;Fecha de factura;Importe;Tipo", "Borrador", "Nota de crédito", "Factura", "Prueba"),
}  # fmt: skip


@pytest.mark.parametrize("name", ["fr", *(pytest.param(one, marks=pytest.mark.long) for one in ("en", "de", "es"))])
def test_drafts_and_notes_that_take_money_back_are_no_invoices(name: str, tmp_path: Path) -> None:
    heads, bills, draft, back, usual, nobody = NEVER[name]
    file, _, head = people(heads)[0], "", people(heads)[1][0]
    kinds = {"03": draft, "05": back, "07": back}
    rows = [f"R{day}{d};X{d};2024-02-{day};{10 + int(d)};{kinds.get(d, usual)}" for day in DAYS[:4] for d in DAYS]
    everybody = [head, *(f"X{d};Firm {d};2024-01-{d};{nobody if d in ('09', '11') else 'Standard'}" for d in DAYS)]
    written, data, conf = started(tmp_path, {f"{file}.csv": everybody, f"{bills.split('|')[0]}.csv": [bills.split("|")[1], *rows]})
    known = history_of("acme", data, conf)
    assert known.counts["used"]["invoices"] == 4 * 21
    assert "never were are left out" in written["invoices.sql"]
    asked = "".join(one.read_text() for one in conf.rglob("*.md"))
    assert all(one in asked for one in ("8 rows of", back, "2 rows of", nobody))


@pytest.mark.long
def test_a_word_in_a_kind_that_only_sounds_like_a_draft_leaves_nothing_out(tmp_path: Path) -> None:
    file, lines = people("customers|Customer;Company;Signup date")
    rows = [
        f"R{day}{d};X{d};2024-02-{day};{10 + int(d)};{'Draftsman plan' if d < '05' else 'Testimonial'}" for day in DAYS[:4] for d in DAYS
    ]
    _, data, conf = started(tmp_path, {f"{file}.csv": lines, "invoices.csv": ["Invoice no;Customer;Invoice date;Amount;Type", *rows]})
    assert history_of("acme", data, conf).counts["used"]["invoices"] == 4 * 24


def test_where_nothing_was_found_the_next_step_is_not_a_run(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    said = init_command([str(tmp_path / "one"), "source=acme", f"data={data}"])
    assert f"NEXT      put your exports into {data}" in said
    (data / "odd.csv").write_text("a,b\n1,2\n3,4\n")
    said = init_command([str(tmp_path / "two"), "source=acme", f"data={data}"])
    assert "NEXT      prevenance validate " in said
    assert "1 question in" in said


def test_rows_that_take_an_invoice_back_do_so_under_its_number(tmp_path: Path) -> None:
    file, lines = people("Kunden|Kundennr.;Firma;Kunde seit", "X90;Testkunde GmbH;2024-01-01")
    bills = [f"R{d};Rechnung;2024-02-{d};X{d};100,00;{'storniert' if d == '05' else 'offen'};" for d in DAYS]
    bills += [
        "ST1;Stornorechnung;2024-03-01;X05;-100,00;;R05",
        "G1;Gutschrift;2024-03-02;X06;40,00;;R06",
        "G2;Gutschrift;2024-03-03;X07;-30,00;;R07",
    ]
    _, data, conf = started(
        tmp_path, {f"{file}.csv": lines, "Rechnungen.csv": ["Belegnr.;Belegart;Belegdatum;Debitor;Brutto;Status;Bezug", *bills]}
    )
    con = history_of("acme", data, conf).inputs.history.con
    rows = con.execute("select invoice_id, event, amount from canonical.invoices where event <> 'issued' order by 1").fetchall()
    assert [(one[0], one[1], float(one[2])) for one in rows] == [
        ("R05", "voided", 100.0),
        ("R06", "credited", 40.0),
        ("R07", "credited", 30.0),
    ]
    assert con.execute("select count(*) from canonical.invoices where event = 'issued'").fetchall() == [(24,)]
    asked = "".join(one.read_text() for one in conf.rglob("*.md"))
    assert "1 customer is called a test" in asked
    assert "take invoices back" not in asked


@pytest.mark.parametrize(
    ("clock", "utc"), [("CEST", "2024-07-01 08:00:00"), pytest.param("MEZ", "2024-07-01 09:00:00", marks=pytest.mark.long)]
)
def test_instants_with_the_name_of_their_clock_are_read(clock: str, utc: str, tmp_path: Path) -> None:
    file, lines = people("Kunden|Kundennr.;Firma;Kunde seit")
    log = [f"01.07.2024 10:00:00 {clock};X{d};LOGIN" for d in DAYS] + [
        f"0{n}.07.2024 11:30:00 {clock};X01;LOGIN_FEHLGESCHLAGEN" for n in range(2, 9)
    ]
    written, data, conf = started(tmp_path, {f"{file}.csv": lines, "login_log.csv": ["Zeitpunkt;Kundennr;Ereignis", *log]})
    con = history_of("acme", data, conf).inputs.history.con
    assert str(con.execute("select min(event_at) from canonical.usage").fetchall()[0][0]) == utc, written["usage.sql"]
    assert con.execute("select kind, count(*) from canonical.usage group by 1 order by 1").fetchall() == [("error", 7), ("login", 24)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("sent", "came", "gone"), [("sent", "open", "unsubscribe"), pytest.param("enviado", "abierto", "baja", marks=pytest.mark.long)]
)
def test_a_log_of_mailings_is_no_use_and_a_cancelled_order_no_purchase(sent: str, came: str, gone: str, tmp_path: Path) -> None:
    people_ = ["Código;Nombre;Email;Fecha de alta", *(f"C{d};Empresa {d};{'Ana' if d < '04' else 'ana'}{d}@x.es;2024-01-{d}" for d in DAYS)]
    mails = [f"ana{d}@x.es,news-1,{word},2024-02-{d}T09:00:00Z" for d in DAYS for word in (sent, came)] + [
        f"ana05@x.es,news-1,{gone},2024-02-27T09:00:00Z"
    ]
    orders = [f"P{day}{d};C{d};{day}-02-2024;{'Cancelado' if d < '07' else 'Entregado'};9,90" for day in DAYS[:3] for d in DAYS]
    _, data, conf = started(
        tmp_path,
        {"clientes.csv": people_, "newsletter_log.csv": ["email,campaign,event,timestamp", *mails],
         "pedidos.csv": ["Nº pedido;Cliente;Fecha;Estado;Importe", *orders]},
    )  # fmt: skip
    used = history_of("acme", data, conf).counts["used"]
    assert (used["customers"], used["contacts"], used["purchases"]) == (24, 24, 3 * 18)
    assert "usage" not in {name for name, rows in used.items() if rows}


@pytest.mark.parametrize(
    ("name", "head", "words", "table"),
    [
        ("orders", "Order no;Customer;Order date;Status", ("open", "delivered"), "purchases"),
        ("tickets", "Ticket;Customer;Opened;Status", ("open", "sent to vendor"), "tickets"),
        ("pedidos", "Nº pedido;Cliente;Fecha;Estado", ("abierto", "entregado"), "purchases"),
    ],
)
def test_orders_and_tickets_that_are_sent_and_open_are_no_mailings(name: str, head: str, words: tuple[str, str], table: str) -> None:
    columns = [Column(one, TEXT, 1.0, 24, place == 0, ("a", "b")) for place, one in enumerate(head.split(";"))]
    columns[2], columns[3] = replace(columns[2], kind=DATE), replace(columns[3], distinct=2, unique=False, values=words)
    found = part_of(Found(name, {}, name, columns, 24))
    assert found is not None
    assert found.table == table
