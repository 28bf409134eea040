"""Tickets as a process: where their days go, by which ways they travel, and how that changes."""
