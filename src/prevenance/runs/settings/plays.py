"""What the settings of ``conf/playbook/`` say, completed by what targets say themselves; light, because every start checks it."""

from typing import Any

from prevenance.runs.settings.schema import Settings
from prevenance.targets import KINDS, default_plays


def plays_of(given: Settings) -> dict[str, Any]:
    """Return the settings of the playbook, ``plays`` and ``targets``: with what targets say themselves where the playbook leaves it to them."""
    said = given.playbook.targets
    if given.playbook.own_plays:
        own = default_plays()
        # a target of a known kind under a name of its own has the plays of its kind
        if given.target.kind in KINDS and (plays := KINDS[given.target.kind]().plays):
            own[given.target.name] = plays
        said = said | {name: _completed(plays, said.get(name) or {}) for name, plays in own.items()}
    return {"plays": given.playbook.plays, "targets": said, "cases": given.playbook.cases}


def _completed(own: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """Return the plays of one target: what the playbook says of a family goes before what the target says, key by key."""
    return {family: {**own.get(family, {}), **(said.get(family) or {})} for family in {**own, **said}}
