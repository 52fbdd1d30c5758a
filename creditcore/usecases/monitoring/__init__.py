"""Watching what we depend on, and telling operators."""
