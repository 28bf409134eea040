"""What the yaml of a guessed source says: files, zone, language, currency, and what is predicted."""

import re
from typing import Any

from prevenance.sources.guess.contracts import unended_contracts
from prevenance.sources.guess.found import Found, Guess, Part
from prevenance.sources.guess.roles import spoken_language
from prevenance.sources.guess.vendors import zone_in

ZONES = {"fr": "Europe/Paris", "de": "Europe/Berlin", "es": "Europe/Madrid"}
ACTIVE = ("usage", "purchases", "tickets")
"""Tables whose silence says that a customer has left, where there are no contracts, the plainest first."""


def set_settings(files: list[Found], vendors: dict[str, list[Found]], own: list[Part], guess: Guess) -> None:
    """Put the keys of the yaml into ``guess``: files, zone, language, currency, targets."""
    text = guess.selects.values()
    read = [one for one in files if any(re.search(rf"\b{re.escape(one.view)}\b", re.sub(r"(?m)^--.*$", "", select)) for select in text)]
    read += [one for held in vendors.values() for one in held]
    read = read if guess.selects else files  # listed for who writes the selects
    language = "en" if vendors else spoken_language([column.name for file in read for column in file.columns])
    zone = zone_in(read) or ZONES.get(language, "UTC")
    timed = [f"{one.title}.{column.name}" for one in read for column in one.columns if column.timed]
    if (timed and set(vendors) - {"stripe", "salesforce"}) or (timed and not vendors):
        guess.ask(
            f"In which zone are the times without offset ({', '.join(timed[:3])})? They are read as {zone}.",
            "Write another under timezone: in the yaml, such as Europe/Paris.",
        )
    money = sorted(
        {
            value.upper()
            for one in read
            for column in one.columns
            if re.search(r"(?i)currency|devise|währung|moneda|divisa", column.name)
            for value in column.values
        }
    )
    money = money or sorted(
        {
            one.upper()
            for part in own
            for name in part.roles.values()
            for one in re.findall(r"(?i)\b(?:eur|usd|gbp|chf)\b", name.replace("_", " "))
        }
    )
    signs = sorted(
        {
            sign
            for one in read
            for column in one.columns
            for sign in "€$£"
            if any(sign in value for value in column.values[:20]) and column.read != "X"
        }
    )
    currency = money[0] if money else {"€": "EUR", "$": "USD", "£": "GBP"}.get(signs[0], "") if signs else "EUR"
    if len(money) > 1 or len(signs) > 1:
        guess.ask(
            f"Amounts are in {' and '.join(money or signs)}: added up they mean nothing.",
            "Convert them in the selects, or keep one: where currency = 'EUR'.",
        )
    elif not money and not signs and any({"mrr", "arr", "amount", "price"} & one.roles.keys() for one in own):
        guess.ask("In which currency are the amounts? EUR is written.", "Correct currency: in the yaml.")
    targets = _targets(own, guess)
    if not vendors or targets:
        guess.settings["targets"] = targets
    guess.settings |= {"timezone": zone, "language": language if language in ("fr", "de") else "en", "currency": currency}
    guess.settings["files"] = {one.view: one.given if len(one.given) > 1 or vendors else one.given["path"] for one in read}
    if vendors:
        guess.settings["defaults"] = [*vendors, "_self_"]


def _targets(own: list[Part], guess: Guess) -> dict[str, Any]:
    tables = {one.table for one in own}
    targets: dict[str, Any] = {}
    contracts = next((one for one in own if one.table == "subscriptions"), None)
    log = next((one for one in own if one.table == "churn"), None)
    if contracts and (log or {"ended", "noticed"} & contracts.roles.keys()):
        ended = log is None or unended_contracts(log, own)
        targets["churn"] = {"kind": "contract" if ended else "event", "horizon_days": 90, "settle_days": 1}
    elif quiet := next((one for one in ACTIVE[:2] if one in tables), ""):
        targets["churn"] = {"kind": "silence", "horizon_days": 28, "active_days": 56, "activity": [quiet], "settle_days": 1, "lead_days": 0}
        guess.ask(
            f"Nothing says who left, so leaving is 28 days without {quiet} after a row in the 56 days before.",
            "Is that long enough in your business? Change horizon_days and active_days under targets: in the yaml.",
        )
    if "tickets" in tables:
        targets["tickets"] = {"horizon_days": 30, "settle_days": 1, "active_days": 365}
    return targets
