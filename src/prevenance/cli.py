"""The command ``prevenance``: ``prevenance train source=… target=…``, ``prevenance score``, ``prevenance init <folder>``."""

import importlib
import sys
from pathlib import Path

COMMANDS = "train|validate|record|score|backfill|replay|feedback|export|explain|leakage|erase|audit_log|demo"
PIPELINES = COMMANDS.split("|")


def main() -> None:
    """Run the pipeline named by the first argument."""
    name, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if name == "init":
        sys.exit(init(Path(arguments[0]) if arguments else Path("conf")))
    usage = f"usage: prevenance {COMMANDS}|init key=value ...\n"
    if name in ("-h", "--help"):
        sys.stdout.write(usage)
        sys.exit(0)
    if name not in PIPELINES:
        sys.stderr.write(usage)
        sys.exit(2)
    here = Path(__file__).parent  # the wheel carries pipelines/ inside the package, a checkout beside src/
    sys.path.insert(0, str(here if (here / "pipelines").is_dir() else here.parents[1]))
    sys.argv = [f"prevenance {name}", *arguments]
    importlib.import_module(f"pipelines.{name}").main()


def init(folder: Path) -> int:
    """Write a private configuration folder with one source to fill in; never overwrites."""
    source = folder / "source" / "mine.yaml"
    if source.exists():
        sys.stderr.write(f"{source} is there already; nothing written\n")
        return 2
    (folder / "source" / "mine").mkdir(parents=True, exist_ok=True)
    source.write_text(
        "name: mine\nstatic: true            # an export; false for a feed that goes on\ntimezone: Europe/Paris  # zone of timestamps without offset\n"
        "currency: EUR\nfiles: {accounts: accounts.csv, subscriptions: subscriptions.csv}   # under data=\n"
        "targets: {churn: {kind: contract, horizon_days: 90}}\n",
        encoding="utf-8",
    )
    (folder / "source" / "mine" / "customers.sql").write_text(
        "select account_id as customer_id, signup_date as event_at, name, segment, _file, _line from accounts\n", encoding="utf-8"
    )
    (folder / "source" / "mine" / "subscriptions.sql").write_text(
        "select account_id as customer_id, id as subscription_id, 'started' as event, start_date as event_at, mrr, seats, _file, _line from subscriptions\n"
        "union all by name\n"
        "select account_id as customer_id, id as subscription_id, 'ended' as event, end_date as event_at, _file, _line from subscriptions\n"
        "where end_date <> ''\n",
        encoding="utf-8",
    )
    sys.stdout.write(
        f"wrote {folder}/source/mine.yaml and two selects. Next: prevenance train --config-dir {folder} source=mine data=<folder>\n"
    )
    return 0
