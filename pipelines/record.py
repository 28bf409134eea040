"""Keep what changed since the last night in the tables that a source names under ``record``."""

from pipelines.start.run import command

body, main = command("record", "record", "record_changes")

if __name__ == "__main__":
    main()
