"""A stand-in of Supabase Auth (GoTrue v2.196.0) behind its gateway.

Answers are held to recorded ones (tests/data/gotrue-wire). What it does not have is listed in
docs/operating.md, "The sandbox".
"""
