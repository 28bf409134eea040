"""Keep what changed in tables that are edited in place (record: in the source), so that their history begins today."""

from pipelines.start.entry import command

body, main = command("record", "record", "record_changes")

if __name__ == "__main__":
    main()
