"""Plug-ins: what a company adds from outside, by an installed package or a module that conf names, without a fork.

An installed package names its plug-in under the entry-point group ``prevenance``::

    [project.entry-points.prevenance]
    acme = "acme_success:plugin"

Who installs nothing writes ``plugins: [acme_success]`` into a conf (or a source's yaml); the module is looked for beside the private
configuration folder too, and its plug-in is called ``plugin``.
"""

import hashlib
import importlib
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from prevenance.base.errors import PrevenanceError
from prevenance.features.define import Definition
from prevenance.runs.commands import PLUGGED_CONF, PRIVATE
from prevenance.targets.target import Target

GROUP = "prevenance"


@dataclass(frozen=True)
class Plugin:
    """What a company adds; every name must be new.

    ``features``: set -> function of lookbacks that gives its definitions, as in ``features.SETS``; a source gets all sets unless it chooses.
    ``targets``: kind -> function that gives the target; settings come by name. ``models``: kind -> module with the four functions of
    ``prevenance.models``. ``writers``: file of a published list -> function of its rows (as in list.csv) and manifest that gives bytes.
    ``policies``: order of a list -> function of its rows (``order.policies.Policy``), asked for by ``outreach.policy``.
    ``conf``: a folder that is looked through after ours: ``source/``, ``target/``, ``playbook/``, ``health_score/``.
    ``words``: a folder with ``fr.toml`` and ``de.toml``, as those of ``prevenance.words``.
    """

    name: str
    features: Mapping[str, Callable[[Sequence[int]], tuple[Definition, ...]]] = field(default_factory=dict)
    targets: Mapping[str, Callable[..., Target]] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    writers: Mapping[str, Callable[[Any, Mapping[str, Any]], bytes]] = field(default_factory=dict)
    conf: Path | None = None
    words: Path | None = None
    policies: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


REGISTERED: dict[str, Plugin] = {}
"""Name -> plug-in, as far as they were loaded by this process."""


def load_installed() -> None:
    """Register the plug-ins of every installed package that names one.

    Raises:
        PrevenanceError: E212 for one that cannot be loaded, is none, or claims a name that is taken.
    """
    for one in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        _register_from(one.value, one.load)


def load_named(modules: Iterable[str]) -> bool:
    """Register the plug-ins of the modules that conf names, and return whether one of them was new.

    Raises:
        PrevenanceError: E212 as ``load_installed``.
    """
    named, beside, before = list(modules), os.environ.get(PRIVATE), len(REGISTERED)
    if named and beside and beside not in sys.path:
        sys.path.append(beside)
    for name in named:
        _register_from(name, partial(importlib.import_module, name))
    return len(REGISTERED) > before


def _register_from(said: str, load: Callable[[], Any]) -> None:
    try:
        found = load()
    except Exception as problem:  # whatever a stranger's module raises is told in one line
        what = f'the plug-in "{said[:60]}" cannot be loaded ({type(problem).__name__}: {str(problem)[:120]})'
        fix = f"install the package that holds {said.partition(':')[0][:60]}, put it on PYTHONPATH or beside the configuration folder, or take it out of plugins="
        raise PrevenanceError("E212", what, key="plugins", fix=fix) from problem
    plugin = getattr(found, "plugin", found)
    if not isinstance(plugin, Plugin):
        what = f'"{said[:60]}" holds no plug-in'
        raise PrevenanceError("E212", what, key="plugins", fix="write plugin = prevenance.Plugin(...) in that module")
    register(plugin)


def register(plugin: Plugin) -> None:
    """Add what a plug-in brings; one that is registered already changes nothing.

    Raises:
        PrevenanceError: E212 where it claims a name that is taken, or names a folder that is not there.
    """
    if REGISTERED.get(plugin.name) == plugin:
        return
    from prevenance.features.sets import SETS
    from prevenance.models.kinds import MODELS
    from prevenance.order.policies import POLICIES
    from prevenance.publish.folders import WRITERS
    from prevenance.targets import KINDS, words_of
    from prevenance.words import words
    from prevenance.words.catalogues import LANGUAGES, add_texts

    if plugin.name in REGISTERED:
        raise _taken(plugin, "plug-in", plugin.name)
    for folder in (plugin.conf, plugin.words):
        if folder is not None and not folder.is_dir():
            what = f'the plug-in "{plugin.name}" names a folder that is not there'
            raise PrevenanceError("E212", what, path=folder, key="plugins", fix="install the package with its data files, or mend the path")
    brought: tuple[tuple[str, MutableMapping[str, Any], Mapping[str, Any]], ...] = (
        ("feature set", SETS, plugin.features),
        ("kind of target", KINDS, plugin.targets),
        ("kind of model", MODELS, plugin.models),
        ("file of a list", WRITERS, plugin.writers),
        ("policy", POLICIES, plugin.policies),
    )
    for what, held, own in brought:
        for name in own:
            if name in held or (held is WRITERS and not _is_new_file(name)):
                raise _taken(plugin, what, name)
    _check_columns(plugin)
    for _, held, own in brought:
        held.update(own)
    if plugin.words is not None:
        for language in LANGUAGES[1:]:
            if (path := plugin.words / f"{language}.toml").is_file():
                add_texts(language, tomllib.loads(path.read_text(encoding="utf-8")))
    if plugin.conf is not None:
        PLUGGED_CONF.append(plugin.conf)
    words_of.cache_clear()
    words.cache_clear()
    REGISTERED[plugin.name] = plugin


def plugged_digest() -> str:
    """Return the hash of the code that plug-ins bring features, targets and models in: every Python file of the packages that hold it."""
    found = hashlib.sha256()
    for plugin in sorted(REGISTERED.values(), key=lambda one: one.name):
        brought = [*plugin.features.values(), *plugin.targets.values(), *plugin.models.values()]
        names = {str(getattr(one, "__module__", None) or getattr(one, "__name__", "")) for one in brought}
        tops = {name.partition(".")[0] for name in names} - {"", "builtins"}
        for place in sorted(str(getattr(sys.modules.get(top), "__file__", None) or top) for top in tops):
            path = Path(place)
            files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path] * path.is_file()
            for file in files:
                found.update(f"{plugin.name}\0{file.name}\0".encode() + file.read_bytes())
    return found.hexdigest()


def _check_columns(plugin: Plugin) -> None:
    """Raise E212 where a feature is called like one that is there."""
    from prevenance.features.build import feature_columns
    from prevenance.features.sets import LOOKBACKS, SETS

    there = {name for make in SETS.values() for name in feature_columns(make(LOOKBACKS))}
    for make in plugin.features.values():
        for name in feature_columns(make(LOOKBACKS)):
            if name in there:
                raise _taken(plugin, "feature", name)
            there.add(name)


def _is_new_file(name: str) -> bool:
    from prevenance.publish.folders import VIEWS

    kept = {*VIEWS, "list.csv", "list.json", "features.parquet", "manifest.json", "arms.csv", "plays.csv", "by_product.csv"}
    return name not in kept and Path(name).name == name and not name.startswith(".")


def _taken(plugin: Plugin, what: str, name: str) -> PrevenanceError:
    said = f'the plug-in "{plugin.name}" brings the {what} "{name}", and one of this name is there'
    return PrevenanceError("E212", said, key="plugins", fix="give it another name, such as one that begins with the company's")
