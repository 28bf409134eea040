"""Privacy rules: purpose, legal basis and controller are recorded, a "no" holds everywhere and at once."""

from collections.abc import Collection

from prevenance.base.errors import PrevenanceError

PURPOSE_EXAMPLES = {
    "purpose": "customer success",
    "legal_basis": "legitimate interest",
    "controller": "the company that decides, and a contact",
}
"""What must be recorded before anybody is scored, with an example of each."""


def check_purpose(purpose: str, legal_basis: str, controller: str) -> None:
    """Raise E901 unless all three are recorded; a blank is not. They go into every manifest."""
    for (name, example), recorded in zip(PURPOSE_EXAMPLES.items(), (purpose, legal_basis, controller), strict=True):
        # null comes through from a yaml as None
        if not (recorded or "").strip():
            fix = f"set privacy.{name}, for instance privacy.{name}='{example}'"
            raise PrevenanceError("E901", f"privacy.{name} is not recorded", key=f"privacy.{name}", fix=fix)


def opted_out_sql(purposes: Collection[str] = (), *, opt_in: bool = False, unread: bool = False) -> str:
    """Return SQL for the customers who may not be used. Today's state, whatever the cutoff.

    The latest word on each purpose counts; a "no" on any purpose that matters is a no, and so is what cannot be read as a yes. A "no" wins
    over a "yes" of the same moment.

    Args:
        purposes: the purposes that matter, compared without case and outer spaces; none: all. A word without a purpose is on all of them.
        opt_in: a customer without a "yes" is left out too, as where the legal basis is consent.
        unread: rows of consents that were set apart (``quarantine.consents``, which must be there) are a no as well.
    """
    chosen = ", ".join("'" + one.strip().lower().replace("'", "''") + "'" for one in purposes)
    matters = f" where lower(trim(coalesce(purpose, ''))) in ('', {chosen})" if chosen else ""
    # of one moment the struct with no = true is the larger: a no wins
    latest = (
        "select customer_id, lower(trim(coalesce(purpose, ''))) as purpose, "
        f"max({{'event_at': event_at, 'known_at': known_at, 'no': not coalesce(allowed, false)}}) as latest from canonical.consents{matters} group by all"
    )
    found = f"select customer_id from ({latest}) group by customer_id having bool_or((latest).no)"
    if opt_in:
        found += f" union select customer_id from canonical.customers where customer_id not in (select customer_id from ({latest}))"
    if unread:
        # a row that breaks the contract may well have said no
        found += " union select customer_id from quarantine.consents where customer_id is not null"
    return found
