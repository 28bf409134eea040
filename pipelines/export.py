"""The actions of the newest list as a CSV for a CRM, with who decided what; nothing is sent anywhere, a person takes the file."""

from pipelines.start.run import command

body, main = command("export", "export", "export_lists", by_target=True)

if __name__ == "__main__":
    main()
