"""Stop asking a server that is down, or a silent model, so that callers learn it at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_FAILURES_TO_OPEN = 5
_OPEN_FOR_S = 5.0
_SILENCE_KEPT_S = 15 * 60.0


class Breaker:
    """Opens after a few failures in a row; then lets one call through now and then.

    What counts as a failure is its user's to say. Of a server: only what tells that it is
    away as a whole, such as no connection; neither a model's own error nor its silence.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._next_try = 0.0

    def might_allow(self) -> bool:
        """Whether a call that begins now may be let through. Asking takes no turn."""
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
        """It answered: all may call."""
        self._failures = 0

    def failed(self) -> None:
        """It failed again."""
        with self._lock:
            self._failures += 1
            if self._failures == _FAILURES_TO_OPEN:
                self._next_try = self._now() + _OPEN_FOR_S


class SilentModels:
    """The models that have kept callers waiting in vain, with a breaker for each.

    A server that takes calls and does not answer them in time may be slow at one model only:
    that must not stop the others, and would, since its calls take up places while they wait. A
    server that is silent as a whole stops being asked all the same, model by model. Nearly always
    there is none here, and then it need not be known which model a call is for.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._breakers: dict[str, Breaker] = {}
        self._forgotten_at = 0.0

    def __bool__(self) -> bool:
        """Whether there are any. When none was silent for long, all are forgotten."""
        if self._breakers and self._now() >= self._forgotten_at:
            self._breakers.clear()
        return bool(self._breakers)

    def allow(self, model: str) -> bool:
        """Whether to ask a model now. After a few silences, one caller each few seconds may try."""
        breaker = self._breakers.get(model)
        return breaker is None or breaker.allows()

    def fell_silent(self, model: str) -> None:
        """A call for this model was not answered in time."""
        breaker = self._breakers.get(model)
        if breaker is None:
            breaker = self._breakers[model] = Breaker(now=self._now)
        breaker.failed()
        self._forgotten_at = self._now() + _SILENCE_KEPT_S

    def answered(self, model: str) -> None:
        """A call for this model was."""
        self._breakers.pop(model, None)
