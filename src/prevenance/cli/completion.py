"""``prevenance completion bash``: a script with every command, setting and choice in it, so that nothing is started while somebody types."""

from importlib.resources import files

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.runs.command_words import command_words, plain_lines
from prevenance.runs.commands import conf_folder
from prevenance.runs.settings.keys import FLAGS, WORDS, group_choices, setting_keys

SHELLS = ("bash", "zsh")
FOLDERS = ("data", "out")
FILES = ("file", "privacy.key_file", "table.file")


def completion_command(arguments: list[str]) -> str:
    """Return the script of the shell that the arguments name.

    Raises:
        PrevenanceError: E203 for a shell that there is no script for.
    """
    shell = arguments[0] if arguments else ""
    if shell not in SHELLS or len(arguments) > 1:
        said = f'there is no completion for "{" ".join(arguments)[:60]}"' if arguments else "no shell is named"
        raise PrevenanceError(
            "E203", said, fix=f"write prevenance completion {'zsh' if 'zsh' in shell else 'bash'}; {did_you_mean('', SHELLS)}"
        )
    return completion_script(shell)


def completion_script(shell: str) -> str:
    """Return the script for ``bash`` or ``zsh``, from conf/ and the schema of the settings."""
    names = group_choices(conf_folder())
    filled = {
        "COMMANDS": " ".join([*command_words(), *plain_lines()]),
        "FLAGS": " ".join(flag for flag in FLAGS if flag.startswith("--")),
        "FILE_KEYS": "|".join([*(f"*:{key}" for key in FILES), *(f"{name}:features" for name in WORDS if "features" in WORDS[name])]),
        "FOLDER_KEYS": "|".join(f"*:{key}" for key in FOLDERS),
        "CHOICES": "\n            ".join(_choice_line(shell, group, found) for group, found in names.items()),
        "OWN_KEYS": "\n            ".join(_own_line(shell, name) for name in WORDS),
        "KEYS": " ".join(_first_keys(names)),
        "DEEP_KEYS": " ".join(f"{key}=" for key in setting_keys() if "." in key),
    }
    text = (files("prevenance.cli") / "templates" / f"completion.{shell}").read_text(encoding="utf-8")
    for mark, value in filled.items():
        text = text.replace(f"@{mark}@", value)
    return text


def _first_keys(names: dict[str, list[str]]) -> list[str]:
    """Return what stands before the first dot: settings, groups of choices, and where a dot goes on."""
    keys = setting_keys()
    plain = [f"{key}=" for key in keys if "." not in key]
    return sorted({*plain, *(f"{group}=" for group in names), *(f"{key.partition('.')[0]}." for key in keys if "." in key)})


def _choice_line(shell: str, group: str, found: list[str]) -> str:
    typed = ' "$value"' if shell == "bash" else ""
    return f'*:{group}) _prevenance_choices "{" ".join(found)}"{typed} {group} "$conf" ;;'


def _own_line(shell: str, name: str) -> str:
    """Return the case of a command that has words of its own besides the settings that all have."""
    own = " ".join(f"{key}=" for key in (*WORDS[name], "out", "seed"))
    if shell == "bash":
        more = "" if name == "leakage" else " @KEYS@"
        return f'{name}:*) COMPREPLY=($(compgen -W "{own}{more}" -- "$cur")) ;;'
    return f"{name}:*) compadd -S '' -- {own}{'' if name == 'leakage' else ' @KEYS@'} ;;"
