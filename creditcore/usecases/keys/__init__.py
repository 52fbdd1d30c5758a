"""API keys: issued, found, revoked."""
