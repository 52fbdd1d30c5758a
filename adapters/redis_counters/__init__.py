"""Counts per minute that all processes and hosts share, in Redis."""
