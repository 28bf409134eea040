"""The words of a command line: those of single commands, and values that are taken to the letter."""

from __future__ import annotations

from prevenance.base.errors import PrevenanceError, did_you_mean

WORDS = {
    "leakage": {"features": "table.file"} | {key: f"table.{key}" for key in ("label", "id", "cutoff", "fail", "permitted")},
    "backfill": {"from": "nights.first", "to": "nights.last"},
}
"""What a command is asked in its own words -> the key of its conf: ``features=`` is a file there, elsewhere a group of choices."""

PATHS = frozenset(key for words in WORDS.values() for key in words.values())

IDS = ("customer", "product")
"""What ``explain`` is asked about: ids, taken to the letter and never parsed."""


def own_words(name: str, arguments: list[str]) -> list[str]:
    """Return the arguments of a command in the words of its conf.

    Raises:
        PrevenanceError: E201 for a setting that the leakage check does not have.
    """
    words = WORDS.get(name, {})
    known, found = (*words, *words.values(), "out", "seed"), []
    for one in arguments:
        key, equals, value = one.partition("=")
        if name == "leakage" and equals and key not in known and not one.startswith("-"):
            raise PrevenanceError("E201", f'there is no setting "{key}"', key=key, fix=did_you_mean(key, (*words, "out", "seed")))
        found.append(f"{words.get(key, key)}={value}" if equals and not one.startswith("-") else one)
    return found


def escaped(override: str) -> str:
    """Quote path-like values that Hydra's grammar would refuse (spaces, colons, equals signs)."""
    key, _, value = override.partition("=")
    if (key in ("data", "out", "as_of", "file") or key in PATHS) and value and value[0] not in "'\"[":
        return f"{key}='" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return override
