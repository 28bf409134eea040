"""What leaves the project: files of a list, pages of a report, and the folders they are published in."""
