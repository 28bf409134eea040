"""The list as it would have been at a past date, with what happened since."""

from pipelines.start.entry import command

body, main = command("replay", "replays", "replay_each", by_target=True)

if __name__ == "__main__":
    main()
