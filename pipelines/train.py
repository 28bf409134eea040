"""Train, evaluate, gate and register every target."""

from pipelines.start.entry import command

body, main = command("train", "learn", "train_each", by_target=True)

if __name__ == "__main__":
    main()
