"""The selects of contracts: when each began, what changed, who gave notice, and how it ended; ends that only another file tells among them."""

from collections.abc import Sequence

from prevenance.sources.files import sql_text
from prevenance.sources.guess.found import Guess, Part
from prevenance.sources.guess.profile import date_sql
from prevenance.sources.guess.roles import says_running
from prevenance.sources.guess.row import customer_sql, event_sql, given_sql, own_sql, row_text, text_of


def contract_selects(part: Part, guess: Guess, parts: Sequence[Part]) -> list[str]:
    """Return the selects of contracts, or of a log of who left; ``parts`` are all files."""
    if part.table == "churn":
        return _leaving(part, guess, parts)
    own = given_sql(part, plan="plan", seats="seats", mrr="mrr")
    if "mrr" not in own and "arr" in part.roles:
        own["mrr"] = f"round(try_cast({text_of(part, 'arr')} as double) / 12, 2)"
    if "mrr" not in own and "amount" in part.roles:
        guess.ask(
            f'{part.file.view}: "{part.roles["amount"]}" is taken for revenue a month. Is it?',
            "If it is a year's, write round(try_cast(… as double) / 12, 2) as mrr in subscriptions.sql.",
        )
        own["mrr"] = text_of(part, "amount")
    contract, started = own_sql(part, "contract"), text_of(part, "started")
    if "contract" in part.roles and not part.file.column(part.roles["contract"]).unique:
        if "activity" in part.roles and (step := event_sql(part, "activity", "subscriptions", guess, "changed")):
            return [row_text(part, started, subscription_id=contract, event=step, **own)]
        guess.ask(
            f'{part.file.view}: a contract ("{part.roles["contract"]}") stands there several times, and no column says what happened.',
            "Each row is taken for a change; say in subscriptions.sql which begin and which end.",
        )
        first = (
            f"row_number() over (partition by {contract} order by {date_sql(part.file.column(part.roles['started']))}, _file, _line) = 1"
        )
        selects = [row_text(part, started, subscription_id=contract, event=f"case when {first} then 'started' else 'changed' end", **own)]
    else:
        renews = given_sql(part, renews_on="renews")
        selects = [row_text(part, started, subscription_id=contract, event="'started'", **own, **renews)]
    if {"noticed", "ended"} & part.roles.keys():
        return [*selects, *_ends(part, contract, guess)]
    if not any(unended_contracts(one, parts) is part for one in parts if one.table == "churn"):
        guess.ask(
            f"{part.file.view}: no column says when a contract ends.",
            "Without it nobody ever leaves: export the date of the notice or the end, and add it to subscriptions.sql.",
        )
    return selects


def _ends(part: Part, contract: str, guess: Guess) -> list[str]:
    """Return the selects of notices and ends."""
    noticed, ended = (text_of(part, role) if role in part.roles else "" for role in ("noticed", "ended"))
    if not ended:
        guess.ask(
            f'{part.file.view}: "{part.roles["noticed"]}" is the only day of an end. Is it the last day? It is taken for that.',
            "If it is the day of the notice, write 'notice' for 'ended' in subscriptions.sql, and export the last day too.",
        )
        running = _running(part)
        # who runs all the same has said it on that day, and goes later
        event = f"case when {text_of(part, 'activity')} in ({running}) then 'notice' else 'ended' end" if running else "'ended'"
        return [row_text(part, noticed, subscription_id=contract, event=event, where=f"{noticed} <> ''")]
    # what is planned today was not known when a contract began: it would give away who stayed
    planned = given_sql(part, ends_on="ended")
    notices = [row_text(part, noticed, subscription_id=contract, event="'notice'", where=f"{noticed} <> ''", **planned)] if noticed else []
    where = f"{ended} <> ''" + _not_running(part, noticed, guess)
    return [*notices, row_text(part, ended, subscription_id=contract, event="'ended'", where=where)]


def _running(part: Part) -> str:
    """Return the words of the status that say that a contract runs, as SQL; empty where none does."""
    words = says_running(part.file.column(part.roles["activity"]).values) if "activity" in part.roles else []
    return ", ".join(sql_text(one) for one in words)


def _not_running(part: Part, noticed: str, guess: Guess) -> str:
    """Return SQL that leaves out ends that are only planned: of contracts that run by their status, without a notice."""
    end = part.file.column(part.roles["ended"])
    if running := _running(part):
        said = f"coalesce({text_of(part, 'activity')}, '') not in ({running})"
        return f" and ({said} or {noticed} <> '')" if noticed else f" and {said}"
    if not noticed and end.filled > 0.9:
        guess.ask(
            f'{part.file.view}: "{end.name}" is filled for nearly every contract. Is it the end that is planned?',
            "Each counts as ended from that day on, and a day ahead for nothing yet. If contracts renew themselves, export a status, or the day of notice, too.",
        )
    return ""


def _leaving(part: Part, guess: Guess, parts: Sequence[Part]) -> list[str]:
    day = text_of(part, "noticed")
    if contracts := unended_contracts(part, parts):
        begun = date_sql(contracts.file.column(contracts.roles["started"]))
        known = f"select {customer_sql(contracts)} as _who, {own_sql(contracts, 'contract')} as _contract, {begun} as _begun"
        part.steps = (
            f"select t.*, k._contract from {part.rows_from} t\n  join ({known} from {contracts.rows_from}) k\n"
            f"    on k._who = {customer_sql(part)} and k._begun <= {date_sql(part.file.column(part.roles['noticed']))}"
        )
        return [row_text(part, day, subscription_id="_contract", event="'ended'", where=f"{day} <> ''")]
    guess.ask(
        f"{part.file.view} is read as a log of who leaves, without saying which contract.",
        "Is it the day of the notice, or of the last day? Say so in subscriptions.sql.",
    )
    return [row_text(part, day, subscription_id=own_sql(part, "contract"), event="'notice'")]


def unended_contracts(log: Part, parts: Sequence[Part]) -> Part | None:
    """Return the contracts, one a row, that a log of who left ends, where their own file says no end."""
    told = (one for one in parts if one.table == "subscriptions" and one.link and not one.link.view and "contract" in one.roles)
    plain = (one for one in told if one.file.column(one.roles["contract"]).unique and not {"noticed", "ended"} & one.roles.keys())
    return next(plain, None) if log.link else None
