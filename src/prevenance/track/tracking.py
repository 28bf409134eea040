"""MLflow: what was trained, on what, how good, and which version is the champion. Its only door.

The store is ``<out>/mlflow.db`` with artifacts below ``<out>/mlruns``; a training is a run with a child for each candidate. Every model is kept beside it as a plain folder
``<out>/models/<target>/<digest>/``, and a pointer ``champion``, so that the night does not depend on the store.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from prevenance.base.errors import PrevenanceError
from prevenance.models import shelf
from prevenance.track import candidates
from prevenance.track.place import artifacts_uri, set_places

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

STORE = "mlflow.db"
LIBRARIES = ("lightgbm", "numpy", "pandas")
"""What a loaded model needs besides MLflow and this package."""

_SECRET = ("password", "passwd", "secret", "token", "credential", "api_key", "dsn")
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
_LONGEST, BUSY_SECONDS = 500, 10.0


def tracked_champion(out: Path, target: str, messages: list[str] | None = None) -> tuple[str, str] | None:
    """Return (version, model digest) of the target's champion, or ``None`` if there is none.

    The alias in the store decides; it may be taken away there. Where the store is away, cannot be read, or holds half a promotion (a version
    without alias, an alias without its folder), the pointer that is kept beside it does, and a sentence about it is appended to ``messages``.
    """
    found, said = shelf.known_champion(out / STORE, out / "models" / target, target)
    if said and messages is not None:
        messages.append(said)
    return found


def log_run(
    out: Path,
    target: str,
    *,
    settings: Mapping[str, object],
    digests: Mapping[str, str],
    report: Mapping[str, Any],
    bundle_folder: Path,
    fitted_kind: str,
    example: pd.DataFrame,
    files: Sequence[Path],
    promoted: bool,
    run_name: str,
    until: str = "",
) -> str:
    """Log a training, register its model as a version of ``target`` and return the version; ``champion`` moves to it only if promoted.

    The same settings and digests are the same training: nothing is logged twice, the version is the one there is.

    Args:
        out: the output folder.
        target: the name under which the model is registered.
        settings: flat settings; values whose names speak of secrets are left out.
        digests: SHA-256 of what the training stands on; ``model`` is that of the bundle.
        report: report.json as a dict; its models' metrics are logged as ``<model>/<metric>`` with ``_low`` and ``_high``, its ``candidates`` as
            child runs.
        bundle_folder: the saved model.
        fitted_kind: kind of the model, such as lightgbm.
        example: some rows with the model's inputs; only their medians and commonest words are kept.
        files: reports and pictures to keep with the run.
        promoted: whether this version becomes the champion.
        run_name: what the run is called in MLflow.
        until: what the model knows at most (ISO, naive UTC).

    Raises:
        PrevenanceError: E801 if the store, the artifacts or the kept model cannot be written.
    """
    tags = {f"{name}_digest": value for name, value in sorted(digests.items())}
    # The store is shown to more people than the settings file.
    params = {name: str(value)[:_LONGEST] for name, value in sorted(settings.items()) if not any(word in name.lower() for word in _SECRET)}
    digest = _sha256({"target": target, "settings": params, "digests": dict(digests)})
    tags |= {"run_digest": digest, "kind": fitted_kind, "source": str(report.get("source", ""))}
    models = out / "models" / target
    shelf.keep_model(models, digests["model"], bundle_folder)
    with open_store(out) as (mlflow, client):
        from mlflow.entities import Metric, Param

        version = _version_of(client, target, digest)
        if version is None:
            number, code = experiment_id(out, client, target), candidates.code_tags()
            logged = client.create_run(number, tags=tags | code, run_name=run_name)
            run, started = logged.info.run_id, logged.info.start_time
            measured = [Metric(name, value, started, 0) for name, value in candidates.metric_values(report.get("models") or {}).items()]
            client.log_batch(run, measured, [Param(name, value) for name, value in params.items()])
            client.log_inputs(run, [candidates.dataset_input({"target": target, **report}, digests.get("data", "unknown"))])
            candidates.log_candidates(client, run, number, report, code)
            for file in files:
                client.log_artifact(run, str(file), "report")
            version = _registered(mlflow, client, target, run, tags, bundle_folder, _typical(example))
        if promoted:
            client.set_registered_model_alias(target, shelf.CHAMPION, version)
    shelf.register_version(models, digests["model"], version, promoted, until)
    return version


@contextmanager
def open_store(out: Path) -> Iterator[tuple[ModuleType, MlflowClient]]:
    """Open the store; MLflow's settings are as before when it is left. Every trouble is E801."""
    path = (out / STORE).resolve()
    fix = "move the file away (the models are kept in the folder models/) and train again, or set out="
    try:
        _probe(path)
        mlflow = _mlflow()
        before, uri = mlflow.get_tracking_uri(), f"sqlite:///{path}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            try:
                mlflow.set_tracking_uri(uri)
                yield mlflow, mlflow.MlflowClient(uri, uri)
            finally:
                mlflow.set_tracking_uri(before)
    except Exception as error:
        if not isinstance(error, (OSError, sqlite3.Error)) and type(error).__module__.partition(".")[0] not in ("mlflow", "sqlalchemy"):
            raise
        raise PrevenanceError("E801", f"the model store cannot be used ({str(error).splitlines()[0]})", fix=fix, path=path) from error


def _probe(path: Path) -> None:
    """Set the paths of a store that was moved; fail at once where MLflow would try for minutes: one that is damaged, locked or not to be written."""
    if path.exists():
        with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as store:
            store.execute("begin immediate")
            set_places(store, path.parent)
            store.execute("commit")


def _mlflow() -> ModuleType:
    """Import MLflow without telemetry, progress bars and notices."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        # Its own type hints make it warn on import, which is nobody's business here.
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)  # it writes traces of what is raised and told in one line anyway
    return mlflow


def _version_of(client: MlflowClient, target: str, digest: str) -> str | None:
    found = client.search_model_versions(f"name = '{target}' and tags.run_digest = '{digest}'")
    return max((str(each.version) for each in found), key=int, default=None)


def experiment_id(out: Path, client: MlflowClient, name: str) -> str:
    """Return the id of an experiment, made where there is none, with its artifacts below ``<out>/mlruns``."""
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name, artifacts_uri(out, name)))


def _registered(
    mlflow: ModuleType, client: MlflowClient, target: str, run: str, tags: dict[str, str], bundle: Path, example: pd.DataFrame
) -> str:
    """Log the model of a run, register it and return the new version."""
    with mlflow.start_run(run_id=run), tempfile.TemporaryDirectory() as work:
        kept = shutil.copytree(bundle, Path(work) / "bundle")
        model = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(Path(__file__).with_name("pyfunc_model.py")),
            artifacts={"bundle": str(kept)},
            model_config={"digest": tags["model_digest"]},
            pip_requirements=_requirements(),
            signature=_signature(example),
            input_example=example,
            metadata=tags,
        )
    if not client.search_registered_models(f"name = '{target}'"):
        client.create_registered_model(target)
    return str(client.create_model_version(target, model.model_uri, run, tags=tags, model_id=model.model_id).version)


def _signature(example: pd.DataFrame) -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import ColSpec, Schema

    keys = [ColSpec("datetime" if name == "cutoff" else "string", name, required=False) for name in ("customer_id", "product_id", "cutoff")]
    inputs = [ColSpec("double" if is_numeric_dtype(example[name]) else "string", name) for name in example.columns]
    return ModelSignature(Schema([*inputs, *keys]), Schema([ColSpec("double", name) for name in ("score", "score_low", "score_high")]))


def _typical(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row that is nobody: medians of numbers (0 if none is known), the commonest words."""
    numbers = {name for name in rows.columns if is_numeric_dtype(rows[name])}
    found = {name: rows[name].median() if name in numbers else min(rows[name].mode(), default="") for name in rows.columns}
    return pd.DataFrame([found], columns=rows.columns).fillna(dict.fromkeys(numbers, 0.0))


def _requirements() -> list[str]:
    """Return the pins that loading the model needs; this package too, where it is installed as one."""
    pins = [f"{name}=={installed(name)}" for name in ("mlflow", *LIBRARIES)]
    try:
        return [*pins, f"prevenance=={installed('prevenance')}"]
    except PackageNotFoundError:
        return pins


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
