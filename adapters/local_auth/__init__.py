"""Accounts kept in our own database: the default where no identity service is configured."""

from adapters.local_auth.identity import LocalIdentityProvider
from adapters.local_auth.operators import LocalIdentityOperators
from adapters.local_auth.passwords import Passwords, Runner, password_hasher
from adapters.local_auth.tokens import Tokens

__all__ = [
    "LocalIdentityOperators",
    "LocalIdentityProvider",
    "Passwords",
    "Runner",
    "Tokens",
    "password_hasher",
]
