"""Check a finished feature table for columns that know the outcome, by the same rules as in training."""

from pipelines.start.run import command

body, main = command("leakage", "leakage", "check_table")

if __name__ == "__main__":
    main()
