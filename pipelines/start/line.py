"""The command line as words: flags apart from settings, and what is no key=value refused in one line before Hydra reads it."""

import difflib
import re
from collections.abc import Iterable, Mapping

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.runs.settings.keys import FLAGS, VALUED, is_text, open_keys, setting_kinds

LITERAL = ("data", "out", "as_of", "file", "customer", "product")
"""Keys whose values are taken to the letter: a comma in them is a comma."""


def flags_and_settings(arguments: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the flags, each with its value behind it, and the rest.

    Raises:
        PrevenanceError: E202 for a flag that there is not, or one without its value.
    """
    flags, settings, rest = list[str](), list[str](), iter(arguments)
    for one in rest:
        if not one.startswith("-"):
            settings.append(one)
            continue
        name, equals, value = one.partition("=")
        if name not in FLAGS:
            fix = did_you_mean(name, [flag for flag in FLAGS if flag.startswith("--")])
            raise PrevenanceError("E202", f'there is no flag "{name[:40]}"', fix=fix)
        if name not in VALUED:
            flags.append(one)
            continue
        if not equals:
            value = next(rest, "")
        if not value or (name in ("--cfg", "-c") and value not in ("job", "hydra", "all")):
            fix = f"write {name} {VALUED[name]}"
            raise PrevenanceError(
                "E202", f'{name} wants a value, and "{value[:40]}" is none' if value else f"{name} wants a value", fix=fix
            )
        flags += [name, value]
    return flags, settings


def refuse_odd_settings(
    arguments: Iterable[str], keys: Iterable[str], groups: Mapping[str, list[str]], *, several: bool, words: Iterable[str] = ()
) -> None:
    """Raise for what is no plain ``key=value``; ``several``: a run for each of a,b,c was asked.

    Args:
        arguments: the settings of the command line.
        keys: every dotted key that may be set.
        groups: group -> its choices.
        several: whether --multirun is there.
        words: what this command is asked in its own words.

    Raises:
        PrevenanceError: E201 for a key that there is not, E202 for another form, E203 for a choice that is none.
    """
    own = set(words)
    known, kinds, opened = {*keys, *groups, *own}, setting_kinds(), open_keys()
    for one in arguments:
        key, equals, value = one.partition("=")
        if key.startswith("~"):
            fix = f"leave it out, or write {key[1:] or 'key'}=<another value>"
            raise PrevenanceError("E202", f'"{one[:60]}" takes a setting away, and every setting has a value', fix=fix)
        if not equals:
            raise PrevenanceError("E202", f'"{one[:60]}" is no setting', fix="write key=value, such as target=churn; see make help")
        if not key.strip("+"):
            raise PrevenanceError("E202", f'"{one[:60]}" names no key', fix="write key=value, such as target=churn")
        plain = key.lstrip("+")
        named = any(plain.startswith(f"{one}.") for one in opened)
        if key != plain and _may_be(plain, known, set(groups)):
            raise PrevenanceError("E202", "a + before a setting is not needed", key=plain, fix=f"write {one.lstrip('+')[:100]}")
        is_key = re.fullmatch(r"[A-Za-z_][\w./-]*", plain, re.ASCII) or (named and plain.isprintable())
        if key != plain or not is_key or not (plain.startswith("hydra") or _may_be(plain, known, set(groups))):
            raise unknown_setting(plain, known)
        # What a command asks in its own words is no choice: features= of the leakage check is a file.
        if (
            plain in groups
            and plain not in own
            and not several
            and not re.fullmatch(r"[\w/-]+|\{.*|", value.strip("'\""), re.ASCII)
            and not _is_several(value)
        ):
            first = re.sub(r"[^\w,/-]", "", value).split(",")[0]
            what = f'{plain} is one name, and "{value[:60]}" is none'
            raise PrevenanceError("E203", what, key=plain, fix=did_you_mean(first.rpartition("/")[2], groups[plain]))
        is_list = kinds.get(plain, ("", None))[0].startswith("list")
        if is_list and re.fullmatch(r"\w[\w-]*", value) and value != "null":
            raise PrevenanceError("E202", f"{plain} takes a list", key=plain, fix=f"write {plain}=[{value[:60]}]")
        if not several and plain.rpartition(".")[2] not in LITERAL and not is_text(plain) and _is_several(value):
            first = value.split(",")[0]
            if plain in groups and first not in groups[plain]:
                raise PrevenanceError("E203", f'{plain} "{first[:60]}" is unknown', key=plain, fix=did_you_mean(first, groups[plain]))
            fix = f"write {plain}={first}, or add --multirun for a run with each"
            fix += "; target=all is every target of the source" if plain == "target" else ""
            if is_list:
                fix = f"write {plain}=[{value[:60]}]"
            raise PrevenanceError("E202", f"{plain}={value[:60]} is several values", key=plain, fix=fix)


def unknown_setting(key: str, known: Iterable[str]) -> PrevenanceError:
    """Return the error for a key that there is not: the nearest one, or where all of them stand."""
    if key in (known := set(known)):
        what = f"{key} is no setting of this command, or of what was chosen"
        return PrevenanceError("E201", what, key=key, fix=f"leave {key}= out; --help-all lists what may be set")
    near = difflib.get_close_matches(key, sorted(known), n=1)
    fix = did_you_mean(key, near) if near else "--help-all lists every setting, and conf/ says what each means"
    return PrevenanceError("E201", f'there is no setting "{key[:60]}"', key=key[:60], fix=fix)


def _may_be(key: str, known: set[str], groups: set[str]) -> bool:
    """Return whether a key may be set: one of those that are known, or below one that holds what the user names."""
    return key in known or any(key.startswith(f"{one}.") for one in known - groups) or any(one.startswith(f"{key}.") for one in known)


def _is_several(value: str) -> bool:
    """Return whether a comma stands outside of quotes and brackets."""
    depth, quote = 0, ""
    for sign in value:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign
        else:
            depth += (sign in "[{(") - (sign in "]})")
            if sign == "," and depth == 0:
                return True
    return False
