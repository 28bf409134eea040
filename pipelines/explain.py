"""One customer's inputs, sources, reasons and what would change them."""

from pipelines.start.entry import command

body, main = command("explain", "explain", "explain_customer", by_target=True)

if __name__ == "__main__":
    main()
