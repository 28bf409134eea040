"""Typical mistakes of settings, files and dates: each is one line with its code, and what its FIX says, done to the letter, makes the run pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from company import ACCOUNTS, TICKETS, Company

pytestmark = pytest.mark.long

YAML = "name: mine\nstatic: true\ntimezone: UTC\nfiles:\n  accounts: accounts.csv\n  tickets: tickets.csv\ntargets:\n  tickets: {}\n"
HEAD, MARCH = "account,id,day,score,note\n", "2024-03-0"


@dataclass
class Desk(Company):
    """A company with the settings of its command line, and where a test asks for it the very text of its yaml."""

    given: list[str] = field(default_factory=list)
    text: str = ""

    def write(self) -> Path:
        inbox = super().write()
        if self.text:
            (self.root / "conf" / "source" / "mine.yaml").write_text(self.text, encoding="utf-8")
        return inbox


def rows(*days: str, score: str = "1") -> str:
    return HEAD + "".join(f"{'ab'[n % 2]},t{n},{day},{score},x\n" for n, day in enumerate(days))


DAYS = [f"{MARCH}{n}" for n in range(1, 9)]


# What a mistake is: it changes a desk.


def setting(*given: str) -> Callable[[Desk], None]:
    return lambda desk: desk.given.extend(given)


def tickets(text: str | bytes) -> Callable[[Desk], None]:
    return lambda desk: desk.files.update({"tickets.csv": text})


def entry(declared: object) -> Callable[[Desk], None]:
    return lambda desk: desk.settings["files"].update({"tickets": declared})


def source(**said: object) -> Callable[[Desk], None]:
    return lambda desk: desk.settings.update(said)


def written(old: str, new: str) -> Callable[[Desk], None]:
    def change(desk: Desk) -> None:
        desk.text = YAML.replace(old, new) if old else YAML + new

    return change


def select(old: str, new: str) -> Callable[[Desk], None]:
    return lambda desk: desk.selects.update(tickets=desk.selects["tickets"].replace(old, new) if old else new)


# What a FIX says, done to the letter.


def set_it(desk: Desk, fix: str) -> None:
    """Give the setting that the FIX names in place of the one that was given."""
    found = re.search(r"([a-z_]+(?:\.\w+)*)=(\[[^\]]*\]|[^\s,;]+)", fix)
    assert found, fix
    desk.given = [one for one in desk.given if one.partition("=")[0] != found[1]] + [found[0]]


def mean_it(desk: Desk, fix: str) -> None:
    """Write the word that is proposed in place of the one given, the first of several where it must be chosen."""
    found = re.search(r'did you mean "([^"]+)"|choose one of: (\w+)', fix)
    assert found, fix
    word = found[1] or found[2]
    desk.given = [
        f"{word}={value}" if "." in word or key not in ("target", "source", "model", "language", "playbook") else f"{key}={word}"
        for key, _, value in (one.partition("=") for one in desk.given)
    ]


def mean_value(desk: Desk, fix: str) -> None:
    """Write one of the values that are proposed for the last setting given."""
    found = re.search(r'did you mean "([^"]+)"|choose one of: (\w+)|write (\w+) or|from ([\d.]+) to', fix)
    assert found, fix
    key, value = desk.given[-1].partition("=")[0], next(one for one in found.groups() if one)
    desk.given[-1] = f"{key}=[{value}]" if "[" in desk.given[-1] else f"{key}={value}"


def paste(desk: Desk, fix: str) -> None:
    """Put the line of the FIX into the source's yaml."""
    found = re.search(r"write (\w[\w.]*: .*?)(?: \(the zone[^)]*\))? in (?:the source's yaml|source/)", fix)
    found = found or re.search(r"write (\w[\w.]*: (?:\{.*\}|[\w/]+))", fix)
    assert found, fix
    desk.paste(found[1])


def set_list(desk: Desk, fix: str) -> None:
    """Give the number that the FIX names, in the list that the setting takes."""
    set_it(desk, re.sub(r"=(\d+)", r"=[\1]", fix))


def set_hours(desk: Desk, fix: str) -> None:
    found = re.search(r"write (\w+): (\{.*\})", fix)
    assert found, fix
    desk.given = [f"outreach.{found[1]}={found[2].replace(': ', ':')}"]


def mean_table(desk: Desk, fix: str) -> None:
    found = re.search(r'did you mean "(\w+)"', fix)
    assert found, fix
    desk.given = [re.sub(r"\.\w+=", f".{found[1]}=", desk.given[0])]


def made_table(desk: Desk, fix: str) -> None:
    """Take out what is asked of a table that no select makes."""
    assert "take it out" in fix
    assert re.search("choose one of: customers, tickets|did you mean", fix), fix
    desk.given.pop()


def mean_key(desk: Desk, fix: str) -> None:
    found = re.search(r'did you mean "(\w+)"', fix)
    assert found, fix
    desk.settings["files"]["tickets"] = {"path": "tickets.csv", found[1]: ","}


def no_formats(desk: Desk, fix: str) -> None:
    assert "or leave it out" in fix
    del desk.settings["timestamp_formats"]


def leave_out(desk: Desk, fix: str) -> None:
    assert re.search(r"leave \w+= out|leave it out|remove it", fix), fix
    desk.given.pop()


def line_of(fix: str) -> int:
    found = re.search(r"line (\d+)", fix)
    assert found, fix
    return int(found[1]) - 1


def unindent(desk: Desk, fix: str) -> None:
    lines = desk.text.splitlines(keepends=True)
    lines[line_of(fix)] = "  " + lines[line_of(fix)].lstrip()
    desk.text = "".join(lines)


def drop_line(desk: Desk, fix: str) -> None:
    assert "remove" in fix
    desk.text = "".join(one for n, one in enumerate(desk.text.splitlines(keepends=True)) if n != line_of(fix))


def cut_at_line(desk: Desk, fix: str) -> None:
    assert "and what follows" in fix
    desk.text = "".join(desk.text.splitlines(keepends=True)[: line_of(fix)])


def write_line(desk: Desk, fix: str) -> None:
    found = re.search(r"write (.*) in line", fix)
    assert found, fix
    lines = desk.text.splitlines(keepends=True)
    lines[line_of(fix)] = found[1] + "\n"
    desk.text = "".join(lines)


def write_select(desk: Desk, fix: str) -> None:
    """Do to the select what the FIX says: the word or the expression it proposes."""
    if found := re.search(r'use "(\w+)" as (\w+)', fix):
        desk.selects["tickets"] = desk.selects["tickets"].replace(found[2], f'"{found[1]}" as {found[2]}', 1)
    elif found := re.search(r"write (case .* end as (\w+)) in", fix):
        desk.selects["tickets"] = desk.selects["tickets"].replace(f" {found[2]},", f" {found[1]},", 1)
    elif found := re.search(r'its word for "(\w+)".*did you mean "(\w+)"', fix):
        desk.selects["tickets"] = desk.selects["tickets"].replace(f"'{found[1]}'", f"'{found[2]}'")
    elif found := re.search(r'did you mean "(\w+)"', fix):
        desk.selects["tickets"] = desk.selects["tickets"].replace("tikets", found[1])
    elif found := re.search(r"add `… as (\w+)`", fix):
        desk.selects["tickets"] = desk.selects["tickets"].replace("select ", f"select 'opened' as {found[1]}, ", 1)
    elif found := re.search(r"take (\S+) out", fix):
        desk.selects["tickets"] = desk.selects["tickets"].replace(found[1], "day")
    else:
        assert "leave one select" in fix or "write a select" in fix or "correct source/" in fix, fix
        desk.selects["tickets"] = Company(desk.root, desk.capture).selects["tickets"]


def id_as_it_is(desk: Desk, fix: str) -> None:
    found = re.search(r"write ('n' .. id as ticket_id) in", fix)
    assert found, fix
    desk.selects["tickets"] = desk.selects["tickets"].replace("id as ticket_id", found[1])


def export_again(desk: Desk, fix: str) -> None:
    assert re.search(r"export|put the file there|write every date as|save it as UTF-8", fix), fix
    desk.files = {"accounts.csv": ACCOUNTS, "tickets.csv": TICKETS}


def plain_yaml(desk: Desk, fix: str) -> None:
    assert re.search(r"write the values themselves|close it|remove the word that begins with !|write the file .*as lines of", fix), fix
    desk.text = YAML


MISTAKES: dict[str, tuple[Callable[[Desk], None], str, str, Callable[[Desk, str], None]]] = {
    # settings
    "a key misspelt": (setting("target.horizon_day=30"), "E201", 'no setting "target.horizon_day"', mean_it),
    "a key without its group": (setting("horizon_days=30"), "E201", 'no setting "horizon_days"', mean_it),
    "a table misspelt": (setting("tables.ticket.on_bad_row=quarantine"), "E201", "tables.ticket.on_bad_row", mean_it),
    "a setting of another command": (setting("customer=A"), "E201", "no setting of this command", leave_out),
    "a target misspelt": (setting("target=tickts"), "E203", 'target "tickts" is unknown', mean_it),
    "a model that there is not": (setting("model=xgboost"), "E203", 'model "xgboost" is unknown', mean_it),
    "a language that there is not": (setting("language=es"), "E203", 'no language "es"', mean_it),
    "a policy that there is not": (setting("outreach.policy=best"), "E203", 'no policy is called "best"', mean_value),
    "a playbook that there is not": (setting("playbook=mine"), "E203", 'playbook "mine" is unknown', mean_it),
    "an activity that is no table": (setting("target.activity=[usges]"), "E203", 'activity names "usges"', mean_value),
    "a word for a number": (setting("validation.tests=many"), "E202", '"many" is no whole number', set_it),
    "half a day": (setting("target.horizon_days=30.5"), "E202", '"30.5" is no whole number', set_it),
    "a negative number of days": (setting("target.horizon_days=-5"), "E202", "target.horizon_days is -5", set_it),
    "no capacity": (setting("capacity=0"), "E202", "capacity is 0", set_it),
    "a number beyond numbers": (setting("capacity=1e12"), "E202", "is no whole number", set_it),
    "a negative seed": (setting("seed=-1"), "E202", "seed is -1", set_it),
    "a setting that is itself": (setting("seed=${seed}"), "E202", "Recursive interpolation", set_it),
    "a share in percent": (setting("tables.tickets.max_bad_share=1%"), "E202", '"1%" is no number', set_it),
    "a share above one": (setting("tables.tickets.least_kept=90"), "E202", "a share is 0 to 1", set_it),
    "a share that is no number": (setting("tables.tickets.max_bad_share=nan"), "E202", "max_bad_share is nan", set_it),
    "a policy for bad rows that is none": (setting("tables.tickets.on_bad_row=ignore"), "E202", '"ignore" is neither', mean_value),
    "an age that is none": (setting("tables.tickets.error_after=3 fortnights"), "E202", '"3 fortnights" is no age', set_it),
    "a list without brackets": (setting("features.sets=tickets"), "E202", "features.sets takes a list", set_it),
    "a lookback of nothing": (setting("features.lookbacks=[0]"), "E202", "features.lookbacks is 0", set_list),
    "a part in a list": (setting("features.lookbacks=[7.5]"), "E202", '"7.5" is no whole number', set_it),
    "a delay of a table misspelt": (setting("source.delay_days.ticket=1"), "E201", 'delay_days names "ticket"', mean_table),
    "a negative delay": (setting("source.delay_days.tickets=-1"), "E202", "source.delay_days.tickets is -1", set_it),
    "a delay without end": (setting("source.delay_days.tickets=.inf"), "E202", '".inf" is no number', set_it),
    "a delay that is no number": (setting("source.delay_days.tickets=nan"), "E202", "source.delay_days.tickets is nan", set_it),
    "a delay of a table that nobody makes": (setting("source.delay_days.usage=1"), "E201", 'asks something of "usage", which no select', made_table),
    "a must of a table that nobody makes": (setting("tables.tickets.required=true", "tables.usage.required=true"), "E201", "tables.usage.required asks", made_table),
    "an age of a table that nobody makes": (setting("tables.invoices.error_after=3 days"), "E201", "tables.invoices.error_after asks", made_table),
    "hours without an owner": (setting("outreach.hours=18"), "E202", "hours names things", set_hours),
    "too many held out": (setting("outreach.holdout.share=0.9"), "E202", "outreach.holdout.share is 0.9", mean_value),
    "a secret": (setting("source.database.password=abc123"), "E211", "a secret stands in a setting", leave_out),
    "a setting that would run code": (setting("_target_=os.system"), "E204", "would run code", leave_out),
    **{
        f"a {sign} in out": (lambda desk, sign=sign: desk.given.append(f"out={desk.root}/half{sign}20off"), "E202", f"holds a {sign}, and a model store", set_it)
        for sign in "?#%"
    },
    "no equals sign": (setting("seed"), "E202", '"seed" is no setting', lambda desk, fix: desk.given.__setitem__(-1, "target=tickets")),
    # dates
    "a day that there is not": (setting("as_of=2024-02-30"), "E208", 'as_of="2024-02-30" is not a date', set_it),
    "a date the German way": (setting("as_of=31.03.2024"), "E208", "is not a date", set_it),
    "a word for a date": (setting("as_of=tomorrow"), "E208", "is not a date", set_it),
    "a day of no calendar": (setting("as_of=9999-12-31"), "E208", "lies outside the years 1970 to 9998", set_it),
    "a date to come": (setting("as_of=2999-01-01"), "E208", "lies in the future", lambda desk, fix: desk.given.__setitem__(-1, "as_of=" + fix.split()[-1])),
    "a date before everybody": (setting("as_of=1999-01-01"), "E305", "no customer is known at 1999-01-01", set_it),
    "a start that is no date": (setting("validation.start=yesterday"), "E202", '"yesterday" is no date', set_it),
    "a time zone that there is not": (source(timezone="Paris"), "E207", 'no time zone is called "Paris"', paste),
    "no time zone": (lambda desk: desk.settings.pop("timezone"), "E206", "the source declares no zone", paste),
    "dates the German way": (tickets(rows(*[f"{n}.03.2024" for n in range(13, 21)])), "E302", "not a timestamp", paste),
    "dates the American way": (tickets(rows(*[f"03/{n}/2024" for n in range(13, 21)])), "E302", "not a timestamp", paste),
    "dates with French months": (tickets(rows(*[f"{n} {'févr.' if n % 2 else 'mars'} 2024" for n in range(1, 9)])), "E302", "not a timestamp", paste),
    "dates with German months": (tickets(rows(*[f"Mo {n}. {'März' if n % 2 else 'Okt.'} 2024 um 18:30 Uhr" for n in range(1, 9)])), "E302", "not a timestamp", paste),
    "dates with Spanish months": (tickets(rows(*[f"{n} de {'enero' if n % 2 else 'abril'} de 2024" for n in range(1, 9)])), "E302", "not a timestamp", paste),
    "formats that the dates do not have": (source(timestamp_formats=["%d/%m/%Y"]), "E302", "not a timestamp", paste),
    "two orders of day and month": (tickets(rows("13/02/2024", "02/13/2024")), "E302", "contradict each other", export_again),
    "a format that reads nothing": (source(timestamp_formats=["day"]), "E202", 'the format "day" reads no time', no_formats),
    "half days without their half": (
        lambda desk: (source(timestamp_formats=["%Y-%m-%d", "%Y-%m-%d %I:%M"])(desk), tickets(rows(*[f"{one} 10:30" for one in DAYS]))(desk)),
        "E202", "not which half", lambda desk, fix: desk.settings.update(timestamp_formats=["%Y-%m-%d", fix.split("'")[1]]),
    ),
    "dates of another century": (tickets(rows(*[one.replace("2024", "1824") for one in DAYS])), "E302", "outside 1990..2100", export_again),
    # the source's yaml
    "a tab": (written("  tickets: tickets.csv", "\ttickets: tickets.csv"), "E202", "a tab stands before a key", unindent),
    "a key twice": (written("", "timezone: Europe/Paris\n"), "E202", 'the key "timezone" stands there twice', drop_line),
    "two sources in a file": (written("", "---\nname: other\n"), "E202", "a second document begins at ---", cut_at_line),
    "a colon without a space": (written("timezone: UTC", "timezone:UTC"), "E202", "a colon has no space behind it", write_line),
    "a bracket left open": (written("", "tables: {tickets: {on_bad_row: quarantine}\n"), "E202", "not closed", plain_yaml),
    "a tag": (written("", "about: !!python/name:os.system x\n"), "E202", "!tag", plain_yaml),
    "a list in place of settings": (written(YAML, "- name: mine\n"), "E202", "a list stands there", plain_yaml),
    "names for billions of values": (
        written("", "about: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"{'bcdefg'[n]}: &{'bcdefg'[n]} [{','.join(['*' + 'abcdefg'[n]] * 10)}]\n" for n in range(6))),
        "E202", "stand for more than 50,000 values", plain_yaml,
    ),
    "files as one path": (source(files="."), "E202", "files names things", lambda desk, fix: (paste(desk, fix), desk.settings["files"].update(tickets="tickets.csv"))),
    # files
    "a folder as a file": (entry("."), "E202", 'the path "." is a folder', paste),
    "a number as a file": (entry(5), "E202", "5 is no path", paste),
    "a path that leads out": (entry("../tickets.csv"), "E209", "leaves the data folder", lambda desk, fix: desk.settings["files"].update(tickets="tickets.csv")),
    "a file that is not there": (entry("tickts.csv"), "E401", "no file at", lambda desk, fix: desk.files.update({"tickts.csv": TICKETS})),
    "a key of an entry misspelt": (entry({"path": "tickets.csv", "delimeter": ","}), "E201", 'no key "delimeter"', mean_key),
    "an encoding that there is not": (entry({"path": "tickets.csv", "encoding": "klingon"}), "E202", 'no encoding "klingon"', paste),
    "semicolons": (tickets(TICKETS.replace(",", ";")), "E303", "its header holds ';'", paste),
    "letters of Windows": (tickets(TICKETS.replace("x\n", "é\n").encode("cp1252")), "E303", "is not UTF-8", paste),
    "decimal commas": (tickets(rows(*DAYS, score='"1,5"')), "E302", "a decimal comma", paste),
    "words for numbers": (tickets(rows(*DAYS, score="good")), "E302", 'not a number ("good")', write_select),
    "a file without a byte": (tickets(""), "E303", "is empty (0 bytes)", export_again),
    "customers without a row": (lambda desk: desk.files.update({"accounts.csv": "account,since,name,segment\n"}), "E304", "a header and no row", export_again),
    "a file cut off": (tickets(b"\x1f\x8b\x08\x00\x00"), "E303", "cannot be read", export_again),
    "a quote left open": (tickets(TICKETS + 'a,"t9,2024-03-01,1,x\n'), "E303", "never closed", export_again),
    "rows that do not fit": (tickets(TICKETS + "a,b\n" * 3), "E302", "do not fit the header", set_it),
    "long ids saved as numbers": (tickets(rows(*DAYS).replace(",t", ",123456789012345").replace(",2024", "000,2024")), "E302", "rounded by a spreadsheet", id_as_it_is),
    "strangers": (tickets(TICKETS.replace("\na,", "\nz,")), "E302", "who are not in customers", set_it),
    "a name that stands twice": (tickets(TICKETS.replace("note", "score", 1)), "E301", 'names "score" twice', write_select),
    "a column renamed": (tickets(TICKETS.replace("score", "Scores", 1)), "E301", 'no column "score"', paste),
    # selects
    "a file misspelt in a select": (select("from tickets", "from tikets"), "E306", 'reads "tikets"', write_select),
    "a word that is no event": (select("'opened'", "'open'"), "E302", 'unknown value ("open")', write_select),
    "a select without its event": (select("'opened' as event, ", ""), "E301", 'does not give "event"', write_select),
    "two selects": (select("", "select 1; select 2"), "E306", "holds 2 statements", write_select),
    "no select": (select("", "-- later"), "E306", "holds no select", write_select),
    "a select of today": (select("day as event_at", "current_date as event_at"), "E306", "asks for current_date", write_select),
    "a select that is none": (select("select ", "selct "), "E306", "syntax error", write_select),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_whose_fix_works(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mistake, code, says, cure = MISTAKES[name]
    desk = Desk(tmp_path, capsys)
    mistake(desk)
    run = desk.refused(code, says, overrides=tuple(desk.given))
    cure(desk, run.line.partition("FIX: ")[2].strip())
    desk.passes(*desk.given)


def test_there_are_at_least_sixty() -> None:
    assert len(MISTAKES) >= 60
