"""Every night at 3:30: record, then score. Airflow 3; in Airflow 2 import dag and task from airflow.decorators."""

import subprocess
from datetime import timedelta

import pendulum
from airflow.exceptions import AirflowFailException
from airflow.sdk import dag, task

HOME = "/srv/prevenance"
AGAIN = (4, 7, 8)


@task(retries=3, retry_delay=timedelta(minutes=15))
def run(command: str) -> None:
    """Run one command; what may pass by itself is tried again, anything else needs a person."""
    done = subprocess.run([f"{HOME}/.venv/bin/prevenance", command], cwd=HOME, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode in AGAIN:
        raise RuntimeError(done.stderr)
    if done.returncode:
        raise AirflowFailException(f"exit {done.returncode}: {done.stderr}")


@dag(schedule="30 3 * * *", start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"), catchup=False, max_active_runs=1)
def prevenance() -> None:
    """Record, then score. Missed nights: prevenance backfill, not Airflow's catchup."""
    run.override(task_id="record")("record") >> run.override(task_id="score")("score")


prevenance()
