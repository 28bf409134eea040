"""What the report of support is asked for, from the settings of ``conf/support/``; what cannot be is refused."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from prevenance.base.errors import PrevenanceError, did_you_mean
from prevenance.publish.wording import one_line
from prevenance.runs.settings.schema import Settings
from prevenance.runs.settings.support import hours_of
from prevenance.support.kpi_names import KPI_NAMES, LOSS_NAMES, USUAL_EFFORT
from prevenance.support.records import Asked

KEPT_FOR, EFFORTS = ("compliance", "safety", "quality"), ("now", "quarter", "half_year")


def asked_of(given: Settings, cutoff: datetime) -> Asked:
    """Return what the report is asked for at a cutoff (naive UTC); ``check_report`` has refused what cannot be."""
    own = given.support
    baseline = (own.baseline[0], own.baseline[1]) if own.baseline else None
    return Asked(
        cutoff,
        given.source.timezone or "UTC",
        hours_of(given),
        own.days,
        own.now_days,
        baseline,
        dict(own.team_sizes or {}),
        tuple(own.levels),
        own.least_tickets,
        dict(own.kpi_targets or {}),
        own.findings_days,
        own.minutes_per_touch,
        own.cost_per_hour,
        dict(own.keep or {}),
        USUAL_EFFORT | dict(own.effort or {}),
        given.source.currency,
    )


def check_report(given: Settings) -> None:
    """Raise E201 for the target of a KPI that there is not, E202 for a period, size or count that cannot be."""
    own = given.support
    for name in own.kpi_targets or {}:
        if name not in KPI_NAMES:
            raise PrevenanceError("E201", f'no KPI is called "{name[:60]}"', key="support.kpi_targets", fix=did_you_mean(name, KPI_NAMES))
    for key, value, example in (
        ("days", own.days, 365),
        ("now_days", own.now_days, 91),
        ("least_tickets", own.least_tickets, 20),
        ("findings_days", own.findings_days, 364),
        ("minutes_per_touch", own.minutes_per_touch, 6),
        ("cost_per_hour", own.cost_per_hour, 45),
    ):
        if value is not None and value < 1:
            raise PrevenanceError("E202", f"support.{key} is {value}", key=f"support.{key}", fix=f"write support.{key}={example}")
    for team, size in (own.team_sizes or {}).items():
        if size < 0:
            fix = f"write team_sizes: {{{team}: {abs(size)}}} under support in the source's yaml"
            raise PrevenanceError("E202", f"the team {team[:40]} has {size} people", key="support.team_sizes", fix=fix)
    for name in own.effort or {}:
        if (loss := name.partition(":")[0]) not in LOSS_NAMES:
            fix = did_you_mean(loss, LOSS_NAMES)
            raise PrevenanceError("E201", f'no loss is called "{loss[:60]}"', key="support.effort", fix=fix)
    for key, held, words in (("keep", own.keep, KEPT_FOR), ("effort", own.effort, EFFORTS)):
        for name, said in (held or {}).items():
            if said not in words:
                fix = f"write {key}: {{{name}: {words[0]}}} under support in the source's yaml; it can be {', '.join(words[:-1])} or {words[-1]}"
                raise PrevenanceError("E202", f'"{str(said)[:40]}" is none of them', key=f"support.{key}", fix=fix)
    if own.baseline:
        _check_baseline(own.baseline)


def check_kept(keep: Mapping[str, str], steps: Collection[str]) -> None:
    """Raise E201 for a step to keep that is none of the log's ``steps``: what is misspelt would be kept by nobody."""
    for name in keep:
        if name not in steps:
            near = did_you_mean(one_line(name, 60), [one_line(step, 60) for step in steps])
            what = f'no step of the log is called "{one_line(name, 60)}", so nothing of it would be kept'
            raise PrevenanceError("E201", what, table="tickets", key="support.keep", fix=near)


def _check_baseline(days: list[str]) -> None:
    fix = "write support.baseline=[2026-01-01,2026-03-31], its first and its last day"
    try:
        first, last = (date.fromisoformat(str(day)) for day in days)
    except ValueError as problem:
        what = f"a baseline is two days, and {', '.join(map(str, days))[:60]} stands there"
        raise PrevenanceError("E202", what, key="support.baseline", fix=fix) from problem
    if last < first:
        fix = f"write support.baseline=[{last},{first}]"
        raise PrevenanceError("E202", f"the baseline ends on {last}, before it begins on {first}", key="support.baseline", fix=fix)
