"""Explain one customer, tonight or at a past date: the numbers of the list, their sources, and what would change them."""

from pipelines.start.run import command

body, main = command("explain", "explain", "explain_customer", by_target=True)

if __name__ == "__main__":
    main()
