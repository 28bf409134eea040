"""What the settings of ``conf/playbook/`` say, completed by what targets say themselves; light, because every start checks it."""

from typing import Any

from prevenance.runs.settings.schema import Settings
from prevenance.targets import default_plays


def plays_of(given: Settings) -> dict[str, Any]:
    """Return the settings of the playbook, ``plays`` and ``targets``: with what targets say themselves where the playbook leaves it to them."""
    said = given.playbook.targets
    if given.playbook.own_plays:
        own = default_plays()
        said = said | {
            name: {
                family: {**plays.get(family, {}), **(said.get(name, {}).get(family) or {})} for family in {**plays, **said.get(name, {})}
            }
            for name, plays in own.items()
        }
    return {"plays": given.playbook.plays, "targets": said}
