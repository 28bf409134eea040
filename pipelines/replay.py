"""The list as it would have been at a past date, refitted with what had closed by then, and what became of it."""

from pipelines.start.run import command

body, main = command("replay", "replay", "replay_each", by_target=True)

if __name__ == "__main__":
    main()
