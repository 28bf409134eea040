"""The pages of ``--help``: of ``prevenance``, and of one command."""

import textwrap

from prevenance.runs.command_words import CommandWords, command_words, plain_lines

WIDTH = 118


def overview_text() -> str:
    """Return one line for each command, and how settings are given."""
    lines = {name: words.line for name, words in command_words().items()} | plain_lines()
    listed = "\n".join(_row(name, line, 12) for name, line in lines.items())
    return (
        "usage: prevenance COMMAND key=value ...   (prevenance COMMAND --help says more of one)\n\n"
        f"{listed}\n\n"
        "Settings are key=value, such as target=churn; your own conf folder is --config-dir PATH. prevenance --version tells the version.\n"
        'Completion: eval "$(prevenance completion bash)", or zsh.\n'
    )


def command_text(words: CommandWords) -> str:
    """Return the help of one command: what it does, its main settings, an example, the files it writes, how it ends."""
    settings = "\n".join(_row(f"{key}=", f"{meaning}  ({example})", 24) for key, meaning, example in words.settings)
    return (
        f"{words.name} key=value ...   {words.line}\n\n"
        f"{textwrap.fill(words.about, WIDTH)}\n\n"
        f"Example: prevenance {words.example}\n\n"
        f"Main settings:\n{settings}\n\n"
        "Writes, below out= where nothing else is said:\n" + "\n".join(_row("", one, 0) for one in words.writes) + "\n\n"
        "Exit codes:\n" + "\n".join(_row(code, meaning, 10) for code, meaning in words.codes) + "\n\n"
        "Flags: --config-dir PATH (your own conf folder), --multirun (a run for each of a,b,c), --cfg job (show the settings, run\n"
        "nothing), --help-all (every setting and choice). Every error has a code: docs/errors.md.\n"
    )


def _row(head: str, text: str, width: int) -> str:
    """Return ``head`` and ``text`` in two columns, the second wrapped in its own."""
    start = f"  {head:<{width}}" + (" " if width else "")
    return textwrap.fill(text, WIDTH, initial_indent=start, subsequent_indent=" " * (width + 3), break_on_hyphens=False)


def init_text() -> str:
    """Return the help of ``prevenance init``."""
    return (
        f"init [FOLDER] [source=NAME] [data=PATH]   {plain_lines()['init']}\n\n"
        "Writes FOLDER/source/NAME.yaml and its selects (FOLDER: conf, NAME: mine). With data=, the files there are looked at: exports of\n"
        "Zendesk, Stripe, HubSpot, Salesforce, Jira, Freshdesk and Intercom take their ready selects, others are known by their columns (in\n"
        "English, French, German or Spanish) and values. What was guessed stands in the selects as comments, what could not be decided in\n"
        "questions.md beside them. Texts of tickets are left out, nothing leaves the machine, and nothing that is there is overwritten.\n\n"
        "Example: prevenance init conf-acme source=acme data=exports\n"
        "Then:    prevenance validate --config-dir conf-acme source=acme data=exports\n"
    )
