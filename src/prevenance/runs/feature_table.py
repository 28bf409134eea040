"""A finished feature table from a file, as the frame that the leakage check reads: every refusal says which value and what to do."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.consent import special
from prevenance.runs.settings.schema import TableSettings

CUSTOMER = ("customer_id", "customerid", "user_id", "userid", "account_id", "accountid", "client_id", "household_id", "customer", "id")
"""Columns taken for the customer, the first that is there; case plays no part."""

KEYS, TAKEN = ("customer_id", "cutoff", "label", "state", "outcome_at"), "table."
"""Names with a meaning of their own in a training frame; a feature that is called so gets the prefix."""

POSITIVE, NEGATIVE = ("1", "1.0", "true", "yes", "y", "t"), ("0", "0.0", "false", "no", "n", "f")


@dataclass(frozen=True)
class FeatureTable:
    """A table to check: ``frame`` has customer_id, cutoff, label and ``features``; ``unlabelled`` rows were left out."""

    frame: pd.DataFrame
    features: tuple[str, ...]
    customer: str | None
    unlabelled: int
    constant: tuple[str, ...]


def feature_table(asked: TableSettings) -> FeatureTable:
    """Return the table that the settings name; a row is a customer (at a cutoff), without an id column each row is one of its own.

    Raises:
        PrevenanceError: E202 nothing named, E401 no file, E303 not readable, E301 no such column, E304 no row, E307 a label that is not
            0 or 1, or of one class only, E902 a column that may be no input.
    """
    for key, value in (("features", asked.file), ("label", asked.label)):
        if not value:
            example = "features=user_features.parquet label=churn"
            raise PrevenanceError("E202", f"{key} is not set", key=key, fix=f"name the table and the outcome's column, such as {example}")
    path = Path(str(asked.file))
    return checked_table(read_table(path), asked, path)


def checked_table(table: pd.DataFrame, asked: TableSettings, path: Path | None = None) -> FeatureTable:
    """Return a table that is read already, as ``feature_table`` does; ``path`` is named in what is refused.

    Raises:
        PrevenanceError: as ``feature_table``, but for what concerns the file.
    """
    label = _column(table, str(asked.label), "label", path)
    given = _column(table, asked.id, "id", path) if asked.id else None
    customer = given or next((name for word in CUSTOMER for name in table.columns if name.lower() == word and name != label), None)
    cutoff = _column(table, asked.cutoff, "cutoff", path) if asked.cutoff else None
    _refuse(table, (label, customer, cutoff), asked.permitted, path)
    outcome = _outcome(table[label], label)
    features = {name: _usable(table[name]) for name in table.columns if name not in (label, customer, cutoff)}
    constant = tuple(name for name, values in features.items() if values.nunique(dropna=False) < 2)
    kept = [name for name in features if name not in constant]
    keys = {
        "customer_id": np.arange(len(table)) if customer is None else table[customer].astype("str"),
        "cutoff": _moments(table[cutoff], cutoff) if cutoff else pd.Timestamp(0),
        "label": outcome,
    }
    if not kept:
        held = f"all of its columns hold one value or none ({', '.join(constant[:5])})" if features else "it has no column beside them"
        fix = "give a table with a column for each feature, as numbers or texts that differ"
        raise PrevenanceError("E304", f"there is no feature to look at: {held}", fix=fix, path=path)
    own = {name: f"{TAKEN}{name}" if name in KEYS else name for name in kept}
    frame = pd.DataFrame(keys | {own[name]: features[name] for name in kept}, index=table.index)
    return FeatureTable(frame[frame["label"].notna()], tuple(own.values()), customer, int(frame["label"].isna().sum()), constant)


def _refuse(table: pd.DataFrame, keys: tuple[str | None, ...], permitted: list[str], path: Path | None) -> None:
    """Raise E902 for a column that may be no input: a special category of personal data, or who works for the company."""
    for name in table.columns:
        if kind := special.refused_category(name, permitted, agents=name not in keys):
            raise special.special_error(name, kind, fix="take the column out of the table", key="permitted=[...]", path=path)


def read_table(path: Path, key: str = "features") -> pd.DataFrame:
    """Return a table from Parquet or CSV; ``key`` is the setting that named it.

    Raises:
        PrevenanceError: E401 no file, E303 not readable, or a column comes twice, E304 no row.
    """
    if not path.is_file():
        fix = f"set {key}=<a .parquet or .csv file>"
        raise PrevenanceError("E401", f"there is no file at {path}", key=key, fix=fix, path=path)
    try:
        table = pd.read_parquet(path) if path.suffix.lower() in (".parquet", ".pq") else _csv(path)
    except (ValueError, OSError, pd.errors.ParserError) as problem:
        what = f"not readable as a table ({str(problem).splitlines()[0][:120]})"
        raise PrevenanceError(
            "E303", what, fix="export it again as Parquet, or as CSV in UTF-8 with one header line", path=path
        ) from problem
    table.columns = [str(name) for name in table.columns]
    if twice := sorted(table.columns[table.columns.duplicated()]):
        raise PrevenanceError("E303", "a column comes twice", column=twice[0], fix="rename one of the two", path=path)
    if table.empty:
        raise PrevenanceError("E304", "the table has no row", fix="export it again with its rows", path=path)
    return table


def _csv(path: Path) -> pd.DataFrame:
    """Return a CSV (gzip too); the separator is found in its first line."""
    first = str(pd.read_csv(path, sep="\x01", nrows=0, encoding="utf-8-sig").columns[0])
    separator = max((",", ";", "\t", "|"), key=first.count)
    return pd.read_csv(path, sep=separator, encoding="utf-8-sig", low_memory=False)


def _column(table: pd.DataFrame, name: str, key: str, path: Path | None) -> str:
    if name in table.columns:
        return name
    raise PrevenanceError("E301", f'there is no column "{name}"', key=key, fix=did_you_mean(name, table.columns), path=path)


def _outcome(column: pd.Series, name: str) -> pd.Series:
    """Return 1.0, 0.0 or NaN (no label) for each row."""
    words = column.astype("str").str.strip().str.lower().where(column.notna() & (column.astype("str").str.strip() != ""))
    label = words.map(dict.fromkeys(POSITIVE, 1.0) | dict.fromkeys(NEGATIVE, 0.0)).astype("float64")
    strange = words[words.notna() & label.isna()]
    if len(strange):
        what = f"the label must be 0 or 1 (true/false, yes/no), {len(strange)} of {len(column)} rows hold {strange.nunique()} other values"
        raise PrevenanceError("E307", what, column=name, fix="set label=<the column of the outcome, 0 or 1>")
    if label.nunique() < 2:
        held = "no label at all" if label.isna().all() else f"{label.max():.0f} in every labelled row"
        raise PrevenanceError("E307", f"the label has {held}", column=name, fix="give a table with both outcomes, 0 and 1")
    return label


def _usable(column: pd.Series) -> pd.Series:
    """Return numbers as they are, dates as days, anything else as text."""
    if pd.api.types.is_numeric_dtype(column):
        return column
    if pd.api.types.is_datetime64_any_dtype(column):
        return _days(column)
    numbers = pd.to_numeric(column.astype("str"), errors="coerce")
    if column.notna().any() and numbers.notna().sum() >= 0.99 * column.notna().sum():
        return numbers
    texts = column.astype("str").where(column.notna())
    dates = pd.to_datetime(texts, errors="coerce", format="ISO8601", utc=True) if _dated(texts) else texts
    return _days(dates) if dates.notna().sum() >= 0.99 * max(1, texts.notna().sum()) and dates is not texts else texts


def _dated(texts: pd.Series) -> bool:
    return bool(texts.dropna().head(20).str.fullmatch(r"\d{4}-\d{2}-\d{2}([ T].*)?").any())


def _days(moments: pd.Series) -> pd.Series:
    return (pd.to_datetime(moments, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1)


def _moments(column: pd.Series, name: str) -> pd.Series:
    try:
        return pd.to_datetime(column.astype("str"), format="ISO8601", utc=True).dt.tz_localize(None)
    except (ValueError, TypeError) as problem:
        fix = "set cutoff=<a column of dates such as 2026-04-01>"
        raise PrevenanceError("E303", "not every cutoff is a date", column=name, fix=fix) from problem
