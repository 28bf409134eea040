"""The actions of the newest list with who decided what, as a CSV for a CRM."""

from pipelines.start.entry import command

body, main = command("export", "export", "export_lists", by_target=True)

if __name__ == "__main__":
    main()
