"""Erase one customer from everything that the output folder owns, keep them out of later runs, and print a certificate."""

from pipelines.start.run import command

body, main = command("erase", "erase", "erase_and_certify")

if __name__ == "__main__":
    main()
