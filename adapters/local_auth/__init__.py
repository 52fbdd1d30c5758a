"""Accounts kept in our own database: the default where no identity service is configured."""

from adapters.local_auth.identity import LocalIdentityProvider, Runner, password_hasher

__all__ = ["LocalIdentityProvider", "Runner", "password_hasher"]
