"""The one door to the outside: files, and a simulated company."""
