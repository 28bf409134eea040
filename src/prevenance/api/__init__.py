"""The public API: what a data scientist has in a notebook. ``prevenance`` hands it on, and nothing else is promised."""
