"""The registered champion, checked before it is asked anything."""

from datetime import datetime, timedelta
from pathlib import Path

from prevenance.base.days import local_day
from prevenance.base.errors import PrevenanceError
from prevenance.models import bundle, shelf
from prevenance.models.bundle import Fitted
from prevenance.runs.commands import command
from prevenance.runs.settings.schema import Settings
from prevenance.runs.snapshots import target_of
from prevenance.targets.target import Target
from prevenance.track import tracking


def asked_source(given: Settings) -> str:
    """Return the source and its folder as settings to repeat in a command, unless it is the demo that makes its own files."""
    return " ".join(one for one in given.overrides if one.partition("=")[0] in ("source", "data"))


def champion_of(
    out: Path, target: Target, cutoff: datetime | None, source: str = "", *, zone: str = "", at_the_time: bool = False
) -> tuple[Fitted, str, list[str]]:
    """Return the registered champion, its digest and messages; its digests are checked before anything is parsed.

    Without a ``cutoff`` it may know anything. ``source`` is what a command that trains has to repeat, ``zone`` that of the days in a message. ``at_the_time`` prefers the
    champion that was the newest at the cutoff.

    Raises:
        PrevenanceError: E501 none registered, E502 not what was registered, E503 it knows more than the cutoff, E504 it learned another
            horizon.
    """
    messages: list[str] = []
    held = tracking.tracked_champion(out, target.name, messages)
    # A night that is made up for would, by today's champion, know more than its cutoff; that of its time may be there no more.
    if at_the_time and cutoff is not None:
        held = shelf.champion_at(out / "models" / target.name, cutoff) or held
    if held is None:
        what = f"no champion is registered for {target.name} in {out}"
        fix = (
            f"run {command('train', *source.split(), f'target={target.name}', f'out={out}')}, "
            "or add allow_rule=true for a list by the simple rule"
        )
        raise PrevenanceError("E501", what, fix=fix, target=target.name)
    fitted = bundle.load(out / "models" / target.name / held[1], held[1])
    trained = datetime.fromisoformat(fitted.about["trained_until"])
    if cutoff is not None and trained > cutoff:
        what = f"the champion of {target.name} was trained with knowledge up to {local_day(trained, zone)}, after as_of={local_day(cutoff, zone)}"
        fix = f"give as_of={local_day(trained + timedelta(days=1), zone)} or later, or train with as_of={local_day(cutoff, zone)} into another out="
        raise PrevenanceError("E503", what, fix=fix, target=target.name)
    learned = fitted.about.get("horizon_days", target.horizon_days)
    if cutoff is not None and learned != target.horizon_days:
        what = f"the champion of {target.name} learned the {learned} days ahead, a list of {target.horizon_days} days is asked"
        fix = f"set target.horizon_days={learned}, or run make train again"
        raise PrevenanceError("E504", what, fix=fix, target=target.name)
    return fitted, held[1], messages


class Champions:
    """The champions of a night, each loaded once; ``at_the_time`` those of that night, not today's."""

    def __init__(self, cutoff: datetime, *, at_the_time: bool = False) -> None:
        """Remember none yet."""
        self.cutoff, self.at_the_time = cutoff, at_the_time
        self.known: dict[str, tuple[Fitted, str, list[str]]] = {}

    def of(self, given: Settings) -> tuple[Fitted, str, list[str]]:
        """Return the champion of the settings' target as ``champion_of`` does, and raise as it does."""
        name = given.target.name
        if name not in self.known:
            zone, source = given.source.timezone, asked_source(given)
            self.known[name] = champion_of(given.folder, target_of(given), self.cutoff, source, zone=zone, at_the_time=self.at_the_time)
        return self.known[name]


def with_champion(out: Path, each: list[Settings]) -> list[Settings]:
    """Return the settings of those targets that have a champion; without any the first, which then says what is missing."""
    return [one for one in each if tracking.tracked_champion(out, one.target.name)] or each[:1]


def check_inputs(fitted: Fitted, columns: list[str]) -> None:
    """Raise E504 when the champion wants a feature that tonight's tables cannot give."""
    if missing := [name for name in fitted.encoder.features if name not in columns]:
        what = f"the champion wants {len(missing)} features that the tables do not give: {', '.join(missing[:5])}"
        fix = "bring the missing table or lookback back, or run make train again"
        raise PrevenanceError("E504", what, fix=fix, column=missing[0])
