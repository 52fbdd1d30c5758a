"""What a project lets people do, as it says itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Lock

from adapters.supabase_auth.client import GoTrueClient, NoAnswerError
from creditcore.domain.identities import Capability, Method

SETTINGS_LIFE_S = 600.0
RETRY_S = 30.0

_ALWAYS = frozenset(
    {
        Capability.RECOVERY,
        Capability.EMAIL_CHANGE,
        Capability.SECOND_FACTOR,
        Capability.INVITATION,
    }
)
_OF_METHOD = {Method.GOOGLE: Capability.GOOGLE, Method.GITHUB: Capability.GITHUB}


class Project:
    """The project's public settings, read every ten minutes at most."""

    def __init__(
        self, client: GoTrueClient, methods: frozenset[Method], *, linking: bool = False
    ) -> None:
        """Prepare; nothing is asked yet.

        Args:
            client: Whom to ask.
            methods: Google and GitHub, as far as the operator wants their buttons shown.
            linking: Whether manual linking is on: the one switch that the settings do not show.
        """
        self._client = client
        self._methods = methods
        self._linking = linking
        self._settings: Mapping[str, object] = {}
        self._read_again_at = 0.0
        self._reading = Lock()

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What can be done; while the settings cannot be read, what is usual."""
        settings = self._current()
        external = settings.get("external")
        found = set(_ALWAYS)
        if settings.get("mailer_autoconfirm") is not True:
            found.add(Capability.CONFIRMATION)
        for method in self._methods:
            # A button for a provider that is off leads to an error in JSON.
            if not isinstance(external, dict) or external.get(method.value) is not False:
                found.add(_OF_METHOD[method])
        if self._linking and found & {Capability.GOOGLE, Capability.GITHUB}:
            found.add(Capability.LINKING)
        return frozenset(found)

    def _current(self) -> Mapping[str, object]:
        # A caller that finds another reading goes on with what is known.
        if time.monotonic() >= self._read_again_at and self._reading.acquire(blocking=False):
            try:
                self._read()
            finally:
                self._reading.release()
        return self._settings

    def _read(self) -> None:
        try:
            answer = self._client.ask("GET", "/settings", most_s=3)
        except NoAnswerError:
            self._read_again_at = time.monotonic() + RETRY_S
            return
        if answer.is_success:
            self._settings = answer.body
        life_s = SETTINGS_LIFE_S if answer.is_success else RETRY_S
        self._read_again_at = time.monotonic() + life_s
