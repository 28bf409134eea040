"""A source guessed from the files of somebody's own exports: what each file is, selects that run, and what is left to ask. Nothing leaves the machine."""
