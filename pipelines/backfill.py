"""Make up for missed nights: each gets the list that it would have had, by the champion of its time; ``latest`` never moves back."""

from pipelines.start.run import command

body, main = command("backfill", "night", "publish_missed_nights", by_target=True)

if __name__ == "__main__":
    main()
