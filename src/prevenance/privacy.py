"""Privacy rules: purpose and legal basis are recorded, a "no" holds everywhere and at once."""

from __future__ import annotations

from dataclasses import dataclass

from prevenance.errors import PrevenanceError

OPTED_OUT = (
    "select customer_id from (select customer_id, coalesce(purpose, '') as purpose, "
    "max({'event_at': event_at, 'known_at': known_at, 'no': not coalesce(allowed, false)}) as latest from canonical.consents group by all) "
    "group by customer_id having bool_or((latest).no)"
)
"""SQL for customers whose latest word on any purpose is no. Today's state, whatever the cutoff; unreadable means no."""


@dataclass(frozen=True)
class Privacy:
    """Why customers may be scored at all: ``purpose`` and ``legal_basis`` go into every manifest."""

    purpose: str = ""
    legal_basis: str = ""


def check(privacy: Privacy) -> None:
    """Raise E901 unless purpose and legal basis are recorded."""
    for name in ("purpose", "legal_basis"):
        if not getattr(privacy, name).strip():
            raise PrevenanceError(
                "E901",
                f"privacy.{name} is not recorded",
                key=f"privacy.{name}",
                fix=f"set privacy.{name}, for instance privacy.{name}='{'customer success' if name == 'purpose' else 'legitimate interest'}'",
            )
