"""What a column or file is called, in four languages, and what it therefore may be; names and phrases stand in ``roles.toml``."""

import re
import tomllib
from functools import cache
from pathlib import Path

from prevenance.consent.special import name_words


@cache
def _known() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


@cache
def _pattern(phrase: str) -> re.Pattern[str]:
    return re.compile(r"\b" + r"\w* ".join(phrase.split()))


def _fit(phrases: list[str], text: str) -> float:
    """Return how much of a name is said by the best of the phrases: 1.0 for all of it."""
    return max((len(phrase) / len(text) for phrase in phrases if _pattern(phrase).search(text)), default=0.0)


@cache
def role_fit(role: str, name: str) -> float:
    """Return how well a column's name fits a role.

    >>> role_fit("resolved", "Geschlossen am") > role_fit("opened", "Geschlossen am")
    True
    """
    roles, text = _known()["roles"], " ".join(_plain(name))
    # a compound is what its last part is: Kundensegment, Vertragsstatus
    last = re.sub(r"\b(kunden|vertrags)(?=\w{4})", "", text)
    return _fit(roles[role], text) or 0.9 * _fit(roles[role], last) or 0.4 * _fit(roles.get(f"{role}_too", []), text)


@cache
def table_fit(table: str, name: str) -> float:
    """Return how well a file's name fits a canonical table (or ``churn``, a log of who left)."""
    return _fit(_known()["tables"][table], " ".join(_plain(name)))


def _plain(name: str) -> list[str]:
    # small words of the four languages say nothing
    return [
        one
        for one in name_words(name)
        if one not in ("de", "du", "des", "la", "le", "les", "der", "die", "das", "el", "los", "the", "of", "del", "d", "l")
    ] or ["?"]


def are_deals(title: str, columns: list[str]) -> bool:
    """Return whether a file holds what may be sold one day: called so, or with a stage and a probability; none of the tables is that.

    >>> are_deals("Opportunités", ["Nom"]), are_deals("crm", ["Étape", "Probabilité (%)", "Montant"]), are_deals("Comptes", ["Nom"])
    (True, True, False)
    """
    words = _known()["deals"]
    told = [" ".join(_plain(name)) for name in columns]
    both = (any(_fit(words[role], text) > 0.3 for text in told) for role in ("stage", "probability"))
    return _fit(words["title"], " ".join(_plain(title))) > 0 or all(both)


def table_names() -> list[str]:
    """Return the tables that a file may be taken for."""
    return list(_known()["tables"])


def said_events(table: str, values: tuple[str, ...]) -> dict[str, str]:
    """Return value of a cell -> event of the table that it says; values that say none are left out.

    >>> said_events("tickets", ("Geschlossen", "Wartet auf Kunden", "Notiz"))
    {'Geschlossen': 'closed', 'Wartet auf Kunden': 'waiting'}
    """
    events = _known()[table].items()
    found = {}
    for value in values:
        text = " ".join(name_words(value))
        if event := next((event for event, words in events if any(_pattern(one).search(text) for one in words)), ""):
            found[value] = event
    return found


def spoken_language(names: list[str]) -> str:
    """Return the language that most columns are named in: de, fr, es or en.

    >>> spoken_language(["Kundennr.", "Vertragsbeginn", "Status"])
    'de'
    """
    said = [one for name in names for one in name_words(name)]
    return max(_known()["languages"], key=lambda language: sum(one in _known()["languages"][language] for one in said))


def says_running(values: tuple[str, ...]) -> list[str]:
    """Return the values of a status that say that a contract goes on.

    >>> says_running(("aktiv", "Ungekündigt", "inaktiv", "aktiv, gekündigt", "En cours", "vigente", "beendet"))
    ['aktiv', 'Ungekündigt', 'En cours', 'vigente']
    """
    over = {value for value, event in said_events("subscriptions", values).items() if event in ("notice", "ended")}
    return [one for one in values if one not in over and _fit(_known()["running"]["words"], " ".join(name_words(one)) or "?")]


def never_were(table: str, values: tuple[str, ...]) -> list[str]:
    """Return the values of a kind or status that say that a row never was one of the table: drafts, quotes, spam.

    >>> never_were("invoices", ("Brouillon", "Facture", "payée")), never_were("tickets", ("Spam", "offen"))
    (['Brouillon'], ['Spam'])
    """
    return _said(_known()["never"].get(table, []), values)


def asked_values(what: str, values: tuple[str, ...]) -> list[str]:
    """Return the values that say ``credit`` or ``void`` (a row that takes another back), ``voided`` (taken back) or ``test`` (an account of nobody's)."""
    return _said(_known()["asked"][what], values)


def mail_words(values: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the values that say that a mail went out, and those that say what came of it.

    >>> mail_words(("enviado", "abierto", "LOGIN"))
    (['enviado'], ['abierto'])
    """
    words = _known()["mail"]
    return _said(words["sent"], values), _said(words["came"], values)


def hour_words(name: str) -> tuple[bool, bool]:
    """Return whether a column's name says that it holds an hour of the day, and whether it says a span of time.

    >>> hour_words("Uhrzeit"), hour_words("Bearbeitungszeit"), hour_words("Durée")
    ((True, False), (True, True), (False, True))
    """
    words, text = _known()["hours"], " ".join(name_words(name))
    return bool(re.search("|".join(words["clock"]), text)), bool(re.search("|".join(words["span"]), text))


def mailing_fit(name: str) -> float:
    """Return how well a file's name fits a log of mailings."""
    return _fit(_known()["mail"]["title"], " ".join(_plain(name)))


def says_kind(name: str) -> bool:
    """Return whether a column says of what kind a row is, or how it stands."""
    return _fit(_known()["asked"]["kind"], " ".join(_plain(name))) > 0


def _said(words: list[str], values: tuple[str, ...]) -> list[str]:
    return [one for one in values if any(re.search(rf"\b{word}\b", " ".join(name_words(one))) for word in words)]


def says_closed(values: tuple[str, ...]) -> list[str]:
    """Return the values of a status that say that a ticket is over."""
    return [value for value in values if _fit(_known()["closed"]["words"], " ".join(name_words(value)) or "?")]
