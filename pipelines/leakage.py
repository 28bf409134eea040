"""A finished feature table, checked for columns that know the outcome."""

from pipelines.start.entry import command

body, main = command("leakage", "leakage", "check_table")

if __name__ == "__main__":
    main()
