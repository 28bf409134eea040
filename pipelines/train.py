"""Train, evaluate, gate and register every target; print what a person reads in a minute."""

from pipelines.start.run import command

body, main = command("train", "learn", "train_each", by_target=True)

if __name__ == "__main__":
    main()
