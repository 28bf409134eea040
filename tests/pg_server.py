"""A PostgreSQL server of our own on a unix socket, for as long as a module of tests takes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

VARIABLE = "PREVENANCE_PG_URL"
SECRET = "c4n4ry-s3cret"


def tool(name: str) -> str | None:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


RUNUSER = shutil.which("runuser", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])) or ""


def as_server(*command: str) -> None:
    """Run a command of the server, which refuses to run as root."""
    wrapped = [RUNUSER, "-u", "postgres", "--", *command] if os.geteuid() == 0 else [*command]
    subprocess.run(wrapped, check=True, capture_output=True, timeout=120, cwd="/tmp")


@contextmanager
def running_server() -> Iterator[str]:
    """Start a server of our own on a unix socket and give its connection string."""
    initdb, pg_ctl = tool("initdb"), tool("pg_ctl")
    if not initdb or not pg_ctl:
        pytest.skip("no PostgreSQL server is installed (Debian: apt-get install postgresql)")
    if os.geteuid() == 0 and (not RUNUSER or subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode):
        pytest.skip("a server does not run as root, and there is no user postgres")
    folder = Path(tempfile.mkdtemp(prefix="prevenance-pg-", dir="/tmp"))
    folder.chmod(0o777)
    base = folder / "base"
    try:
        as_server(initdb, "-D", str(base), "-U", "owner", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=20"
        as_server(pg_ctl, "-D", str(base), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql://owner:{SECRET}@/postgres?host={folder}"
        finally:
            as_server(pg_ctl, "-D", str(base), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
