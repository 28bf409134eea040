"""Every night at 3:30: record, then score, as a Dagster job."""

import subprocess

from dagster import Definitions, Failure, In, Nothing, RetryRequested, ScheduleDefinition, job, op

HOME = "/srv/prevenance"
AGAIN = (4, 7, 8)


def run(command: str) -> None:
    """Run one command; what may pass by itself is tried again, anything else needs a person."""
    done = subprocess.run([f"{HOME}/.venv/bin/prevenance", command], cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode in AGAIN:
        raise RetryRequested(max_retries=3, seconds_to_wait=900)
    if done.returncode:
        raise Failure(description=f"exit {done.returncode}: {done.stderr}", allow_retries=False)


@op
def record() -> None:
    """Keep what changed in the tables that are edited in place."""
    run("record")


@op(ins={"recorded": In(Nothing)})
def score() -> None:
    """Publish tonight's lists."""
    run("score")


@job
def prevenance() -> None:
    """Record, then score."""
    score(record())


schedule = ScheduleDefinition(job=prevenance, cron_schedule="30 3 * * *", execution_timezone="Europe/Paris")
defs = Definitions(jobs=[prevenance], schedules=[schedule])
