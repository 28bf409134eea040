"""Verify the audit log of an output folder: every line is as it was written, or the first that is not is named."""

from pipelines.start.run import command

body, main = command("audit_log", "acts", "verify_trail")

if __name__ == "__main__":
    main()
