"""Retention, erasure and the trail of who did what."""
