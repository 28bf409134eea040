"""Score with the registered champion and publish the ranked lists."""

from pipelines.start.entry import command

body, main = command("score", "night", "score_each", by_target=True)

if __name__ == "__main__":
    main()
