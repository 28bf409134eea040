"""Who did what when: the chain of out/audit.log is verified."""

from pipelines.start.entry import command

body, main = command("audit_log", "acts", "verify_trail")

if __name__ == "__main__":
    main()
