"""The public keys that a project signs its access tokens with."""

from __future__ import annotations

import time
from typing import Any

from jwt import PyJWK, PyJWKClient
from jwt.exceptions import PyJWKClientConnectionError, PyJWKClientError, PyJWKSetError

from adapters.supabase_auth.client import GoTrueClient, NoAnswerError

KEYS_LIFE_S = 600.0
"""As long as the server lets caches keep them. A standby key is listed before it signs."""

UNKNOWN_KEY_PAUSE_S = 30.0
"""An unknown key id asks again, but not more often than this: any client can name one."""


class NoPublicKeysError(Exception):
    """The project has none: it signs with a shared secret (HS256)."""


class UnknownKeyError(Exception):
    """No key of the project has this id."""


class SigningKeys(PyJWKClient):
    """PyJWT's cache of a key set, filled through our own client.

    That brings its time limits and its limit on the size of an answer, and asks no proxy of the
    environment. A failed fetch leaves the cache as it was.
    """

    def __init__(
        self,
        client: GoTrueClient,
        *,
        life_s: float = KEYS_LIFE_S,
        unknown_key_pause_s: float = UNKNOWN_KEY_PAUSE_S,
    ) -> None:
        """Prepare the cache; nothing is asked yet."""
        super().__init__(
            f"{client.base_url}/.well-known/jwks.json",
            lifespan=life_s,
            cooldown_duration=unknown_key_pause_s,
        )
        self._client = client
        self._known_empty_until = 0.0

    def fetch_data(self) -> dict[str, Any]:
        """Fetch the key set.

        Raises:
            PyJWKClientConnectionError: There is none to be had now.
            NoPublicKeysError: It is empty.
        """
        if time.monotonic() < self._known_empty_until:
            raise NoPublicKeysError
        try:
            answer = self._client.ask("GET", "/.well-known/jwks.json")
        except NoAnswerError as error:
            raise PyJWKClientConnectionError(error.reason) from error
        if not answer.is_success:
            raise PyJWKClientConnectionError(f"The key set answered {answer.status}.")
        if answer.body.get("keys") == []:
            self._known_empty_until = time.monotonic() + UNKNOWN_KEY_PAUSE_S
            raise NoPublicKeysError
        return dict(answer.body)

    def find(self, key_id: object) -> PyJWK:
        """Return the key with this id.

        Raises:
            NoPublicKeysError: The project signs with a shared secret.
            UnknownKeyError: It has no such key, or no id was given.
            NoAnswerError: The keys cannot be read now.
        """
        try:
            if not isinstance(key_id, str):
                # A token signed with a shared secret names no key: are there others at all?
                self.get_jwk_set()
                raise UnknownKeyError
            return self.get_signing_key(key_id)
        except PyJWKClientConnectionError as error:
            raise NoAnswerError(str(error)) from error
        except PyJWKSetError as error:
            raise NoAnswerError("The key set has no usable key.") from error
        except PyJWKClientError as error:
            raise UnknownKeyError from error
