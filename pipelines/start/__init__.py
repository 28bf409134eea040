"""How every command starts: its words, the conf, what is refused, and how it ends."""
