"""The version of this package: one place that every room may read."""

VERSION = "0.1.0"
