"""Receivers that are measured against each other: `python -m benchmarks.receivers.NAME`, ready line on stdout."""
