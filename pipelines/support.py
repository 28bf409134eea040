"""Tickets as a process: where their days go in calendar and working hours, by which ways they travel, and the KPIs."""

from pipelines.start.entry import command

body, main = command("support", "support", "support_report")

if __name__ == "__main__":
    main()
