"""Did it help: what became of the lists, and what contacts change."""
