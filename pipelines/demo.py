"""Write the demo company's files."""

from pipelines.start.entry import command

body, main = command("demo", "demo", "make_company")

if __name__ == "__main__":
    main()
