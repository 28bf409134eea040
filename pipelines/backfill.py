"""Missed nights, each with the list it would have had."""

from pipelines.start.entry import command

body, main = command("backfill", "night", "publish_missed_nights", by_target=True)

if __name__ == "__main__":
    main()
