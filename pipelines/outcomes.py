"""What became of the published lists: hits, misses and warning days as their windows close, and the team against the model."""

from pipelines.start.entry import command

body, main = command("outcomes", "outcomes", "judge_lists", by_target=True)

if __name__ == "__main__":
    main()
