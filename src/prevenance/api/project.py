"""A project in a notebook: one output folder, its source and settings, and every command as a method."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from prevenance.api.known import KnownHistory
from prevenance.api.results import RankedList, Replay, Told, Training, Validation, published_outcomes
from prevenance.base import kept
from prevenance.base.errors import PrevenanceError
from prevenance.publish.published import published_list_at, published_lists
from prevenance.runs.commands import shipped_root
from prevenance.runs.inputs import load_inputs
from prevenance.runs.steps import Steps


def open_project(
    out: str | Path = "out",
    *,
    source: str | None = None,
    data: str | Path | None = None,
    conf: str | Path | None = None,
    settings: Mapping[str, object] | Sequence[str] = (),
) -> Project:
    """Return the project of an output folder; nothing is read or written yet.

    Args:
        out: the output folder. One that was trained remembers its source, data folder and settings.
        source: the source; left out, the one that ``out`` remembers, else the demo company.
        data: the folder in which the source's files are looked up.
        conf: a private configuration folder, as ``CONF=`` of the commands.
        settings: any other key of ``conf/``, such as ``{"capacity": 10, "target.horizon_days": 60}``.

    Raises:
        PrevenanceError: E203 if ``conf`` is no folder.

    >>> open_project("out-acme", source="ravenstack", data="exports").settings
    ('source=ravenstack', 'data=exports')
    """
    if conf is not None and not Path(conf).is_dir():
        raise PrevenanceError(
            "E203", f"there is no configuration folder at {conf}", key="conf", fix="give the folder that holds source/, target/, ..."
        )
    own = [f"source={source}"] if source else []
    own += [f"data={data}"] if data is not None else []
    own += [f"{key}={_written(value)}" for key, value in settings.items()] if isinstance(settings, Mapping) else list(settings)
    return Project(Path(out), tuple(own), Path(conf) if conf is not None else None)


@dataclass(frozen=True)
class Project:
    """An output folder with its settings; made by ``prevenance.open``. What its methods write is what the commands write, with the same locks."""

    out: Path
    settings: tuple[str, ...] = ()
    conf: Path | None = field(default=None, repr=False)

    def history(self, as_of: str | datetime | None = None, **more: object) -> KnownHistory:
        """Read, check and cut the source at ``as_of`` (default: now, or the newest knowledge of an export) and return what was known.

        Raises:
            PrevenanceError: what a run would end with: a missing file (E401), rows that break the contract (E302), a bad date (E208), ...
        """
        door = _door()
        arguments = self._arguments({"as_of": _moment(as_of), **more})
        with door.private_conf(self.conf):
            given = door.settings_for("score", arguments)
            inputs = load_inputs(given, Steps(self.out), whole=True)

        def of(target: str) -> Any:
            with door.private_conf(self.conf):
                return door.settings_for("score", [*arguments, *([f"target={target}"] if target else [])])

        return KnownHistory(inputs, of)

    def train(self, target: str, **more: object) -> Training:
        """Train, evaluate, gate and register a target; ``more`` are settings of this run, such as ``model="logistic"``.

        Raises:
            PrevenanceError: what ``prevenance train`` would end with.
        """
        text = self._told("train", {"target": target, **more})
        return self._training(target, text)

    def training(self, target: str) -> Training:
        """Return the latest training of a target, read from the output folder.

        >>> project.training("churn").report["horizon_days"]
        90

        Raises:
            PrevenanceError: E501 if the target was not trained here.
        """
        return self._training(target, "")

    def score(self, target: str, as_of: str | datetime | None = None, **more: object) -> RankedList:
        """Publish tonight's list of a target, or that of ``as_of``, and return it.

        Raises:
            PrevenanceError: what ``prevenance score`` would end with.
        """
        text = self._told("score", {"target": target, "as_of": _moment(as_of), **more})
        return RankedList(self._published(target), text)

    def published(self, target: str) -> RankedList:
        """Return the newest published list of a target.

        >>> project.published("churn").manifest["target"]
        'churn'

        Raises:
            PrevenanceError: E501 if there is none.
        """
        return RankedList(self._published(target))

    def outcomes(self, target: str) -> pd.DataFrame:
        """Return the rows of every published list of a target with what became of them by what is known now.

        Besides the columns of list.csv: ``list`` (its folder), ``outcome`` (happened, did not, not known yet, too late), outcome_at,
        days_of_warning, missed, ``in_band`` and ``drawn_at`` (the hold-out's draw). Empty where nothing is published.
        """
        known = self.history()
        parts = [published_outcomes(one, known.history, known.target(target)) for one in published_lists(self.out, target)]
        return (
            pd.concat(parts, ignore_index=True)
            if parts
            else pd.DataFrame(columns=["list", "arm", "in_band", "outcome", "customer_id", "cutoff"])
        )

    def validate(self, **more: object) -> Validation:
        """Check the inputs alone and return the audit: what they mean, what is missing, late or wrong, and what to fix first, in frames.

        Raises:
            PrevenanceError: what a night would refuse, once the audit of the rest is written to ``<out>/validate/report.json``.
        """
        told = self._report(self.out / "validate" / "report.json", self._told("validate", more))
        return Validation(told.path, told.report, told.text)

    def replay(self, target: str, as_of: str | datetime, **more: object) -> Replay:
        """Return the list as it would have been at ``as_of``, refitted with what had closed by then, with what became of everybody on it.

        Raises:
            PrevenanceError: what ``prevenance replay`` would end with: E501 without a champion, E601 if no label window had closed.
        """
        text = self._told("replay", {"target": target, "as_of": _moment(as_of), **more})
        folders = (self.out / "replay" / target).glob("*/summary.json")
        return Replay(max(folders, key=lambda path: path.stat().st_mtime_ns).parent, text)

    def explain(self, customer: str, target: str, as_of: str | datetime | None = None, product: str | None = None, **more: object) -> Told:
        """Return every input of one customer with its source and date, what weighs, and what would change it.

        Raises:
            PrevenanceError: E203 for an unknown customer, E903 for one who has opted out.
        """
        asked = {"customer": customer, "target": target, "as_of": _moment(as_of), "product": product, **more}
        text = self._told("explain", asked)
        found = (self.out / "explain" / target).glob("*/*.json")
        return self._report(max(found, key=lambda path: path.stat().st_mtime_ns), text)

    def _training(self, target: str, text: str) -> Training:
        folder = self.out / "train" / target
        if not (folder / "report.json").is_file():
            what = f"{target} was not trained in {self.out}"
            raise PrevenanceError("E501", what, fix=f'train it first: project.train("{target}")', target=target)
        return Training(folder, self.out, self._report(folder / "report.json", "").report, text)

    def _published(self, target: str) -> Any:
        found = published_list_at(self.out, target, None)
        if found is None:
            what = f"no list of {target} is published in {self.out}"
            raise PrevenanceError("E501", what, fix=f'publish one: project.score("{target}")', target=target)
        return found

    def _report(self, path: Path, text: str) -> Told:
        return Told(path, kept.needed_json(path, fix="run again what wrote it"), text)

    def _arguments(self, more: Mapping[str, object]) -> list[str]:
        own = [f"{key}={_written(value)}" for key, value in more.items() if value is not None]
        given = [*self.settings, *own]
        keys = {one.partition("=")[0] for one in given}
        kept = [one for one in _door().remembered(str(self.out)) if one.partition("=")[0] not in keys]
        # Another source than the remembered one brings its own data and settings.
        kept = [] if any(one.startswith("source=") for one in self.settings) else kept
        return [*kept, *{one.partition("=")[0]: one for one in given}.values(), f"out={self.out}"]

    def _told(self, name: str, more: Mapping[str, object]) -> str:
        door = _door()
        with door.private_conf(self.conf):
            return str(door.told_by(name, self._arguments(more)))


def _door() -> ModuleType:
    """Return the pipelines as a library: in a checkout they stand beside ``src/``, in a wheel inside the package.

    Raises:
        PrevenanceError: E209 if another package of this name is in the way.
    """
    here = str(shipped_root())
    if here not in sys.path:
        sys.path.append(here)
    try:
        from pipelines.start import library
    except ImportError as problem:
        if "pipelines" not in str(problem.name):
            raise
        what = f'another package called "pipelines" is in the way: {getattr(sys.modules.get("pipelines"), "__path__", ["?"])[0]}'
        raise PrevenanceError("E209", what, fix="start Python in a folder without it, or rename it") from problem
    return library


def _moment(as_of: str | datetime | date | None) -> str | None:
    return as_of.isoformat() if isinstance(as_of, date) else as_of


def _written(value: object) -> str:
    """Return a value as a setting is written: lists and mappings as in YAML's flow style."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_written(one)}" for key, one in value.items()) + "}"
    return "[" + ",".join(map(_written, value)) + "]" if isinstance(value, list | tuple) else str(value)
