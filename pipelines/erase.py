"""A customer leaves everything below out, and later runs."""

from pipelines.start.entry import command

body, main = command("erase", "erase", "erase_and_certify")

if __name__ == "__main__":
    main()
