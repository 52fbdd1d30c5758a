"""Stop asking a server that is down, so that callers learn it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_FAILURES_TO_OPEN = 5
_OPEN_FOR_S = 5.0


class Breaker:
    """Opens after a few failures in a row; then lets one call through now and then.

    Only what says that the server as a whole is away counts as a failure: no
    connection, no answer. A model's own error does not.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._next_try = 0.0

    def might_allow(self) -> bool:
        """Whether a call that begins now may be let through. Asking takes nobody's turn."""
        return self._failures < _FAILURES_TO_OPEN or self._now() >= self._next_try

    def allows(self) -> bool:
        """Whether to call now. While it is open, one caller each few seconds may try."""
        if self._failures < _FAILURES_TO_OPEN:
            return True
        with self._lock:
            if self._now() < self._next_try:
                return False
            self._next_try = self._now() + _OPEN_FOR_S
            return True

    def succeeded(self) -> None:
        """The server answered: everybody may call."""
        self._failures = 0

    def failed(self) -> None:
        """The server did not answer."""
        with self._lock:
            self._failures += 1
            if self._failures == _FAILURES_TO_OPEN:
                self._next_try = self._now() + _OPEN_FOR_S
