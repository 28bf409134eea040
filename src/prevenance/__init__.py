"""Prévenance: whom to contact, why, what to offer and what it is worth, every morning, proved afterwards."""

__version__ = "0.1.0"
