"""Write the demo company's files, as a company would export them, and beside them what is true of it."""

from pipelines.start.run import command

body, main = command("demo", "demo", "make_company")

if __name__ == "__main__":
    main()
