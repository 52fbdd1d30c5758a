"""The API key of a Supabase project, in either of its two generations."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

# What a header can carry. A line break would make the HTTP library name the key in its error.
_KEY = re.compile(r"[\x21-\x7e]{8,4096}")
_NEW_GENERATION = ("sb_publishable_", "sb_secret_")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that opens the gateway in front of Supabase Auth.

    ``sb_publishable_...`` and ``sb_secret_...`` are no JWTs: the gateway replaces them by a
    short-lived JWT of its own, and sent as ``Authorization`` they are refused. The legacy
    ``anon`` and ``service_role`` keys are JWTs, and a self-hosted gateway forwards them
    without the word Bearer unless the caller sends the header itself (recorded:
    ``gateway-raw-key-without-bearer-admin``).
    """

    value: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.value):
            raise ValueError("a Supabase API key is 8 or more letters, digits and signs")

    def headers(self, user_token: str | None = None) -> dict[str, str]:
        """Return the headers that carry the key, and the user's access token where there is one."""
        headers = {"apikey": self.value}
        if user_token is not None:
            headers["Authorization"] = f"Bearer {user_token}"
        elif not self.value.startswith(_NEW_GENERATION):
            headers["Authorization"] = f"Bearer {self.value}"
        return headers
