"""The step between a request that is understood and credits that are held.

Here a call is refused that would find no place, before it costs the database anything:
places of streams in this process, requests and tokens a minute of its key and account. What
a refused or failed call took is given back, so that a refusal consumes nothing. Spend and
parallel calls are counted with the hold itself (docs/decisions/0012-limits-of-keys.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from creditcore.domain.callers import Limited
from creditcore.domain.errors import LimitReachedError
from creditcore.domain.keys import ApiKey
from creditcore.domain.limits import Whose
from creditcore.domain.pricing import Usage
from creditcore.domain.rates import MINUTE_US, Charge, Standing
from creditcore.domain.units import TOKENS
from creditcore.ports.clock import MonotonicClock
from creditcore.ports.inference import InferenceRequest
from creditcore.ports.rate_counters import RateCounters
from creditcore.system import SystemClock
from creditcore.usecases.calls.stream_places import StreamPlaces

ASSUMED_OUTPUT_TOKENS = 1_024
"""What an answer without a limit takes of the tokens per minute until it has been counted."""

BELIEVED_S = 1.0
"""How long a key is refused by what is remembered of it; then the database is asked again."""

MAX_KNOWN_KEYS = 10_000
"""Keys with limits per minute that a process knows before it asks; it learns them anew."""


class CallGate:
    """Lets calls in as long as there is room.

    Args:
        max_streams: How many streams this process carries at a time; None for any number.
        rates: Counts requests and tokens per minute; None where no key limits them.
        clock: Tells for how long a key is remembered.
    """

    def __init__(
        self,
        *,
        max_streams: int | None = None,
        rates: RateCounters | None = None,
        clock: MonotonicClock | None = None,
    ) -> None:
        self._places = StreamPlaces(max_streams)
        self._rates = rates
        self._clock = clock or SystemClock()
        self._known: dict[bytes, _Known] = {}

    def enter(
        self, request: InferenceRequest, key_hash: bytes, caller: Limited | None = None
    ) -> Pass:
        """Let a call in, as far as its key is known here.

        A key is known by its last call. What has changed since is made up for by ``confirm``.

        Args:
            request: The call.
            key_hash: The key that makes it.
            caller: Who makes it, where that is known already: a person without a key.

        Raises:
            LimitReachedError: The key or its account has made too many calls in the last minute.
            OverloadedError: It asks for a stream, and there is no place for one, or none for this
                account while others want some.
        """
        if request.stream:
            self._places.take(key_hash)
        entered = Pass(self, request, key_hash)
        try:
            if caller is not None:
                entered.charge(_limits_of(caller))
            elif known := self._known.get(key_hash):
                self._charge_by(known, entered)
        except BaseException:
            entered.cancel()
            raise
        return entered

    def _charge_by(self, known: _Known, entered: Pass) -> None:
        """Count a call by what is remembered of its key.

        One that is refused by it after a while is let through to the database, by whose terms
        ``confirm`` counts it: the owner may have raised a limit.
        """
        try:
            entered.charge(known.limits)
        except LimitReachedError:
            if self._clock.monotonic() < known.since_s + BELIEVED_S:
                raise

    def seat(self, entered: Pass, wallet_id: str) -> None:
        """Count the place of a stream for the account that its hold is of.

        Raises:
            OverloadedError: The account has as many places as it gets while others want some.
        """
        if entered.has_place:
            self._places.assign(entered.key_hash, wallet_id)
            entered.wallet_id = wallet_id

    def confirm(self, entered: Pass, key_hash: bytes, key: ApiKey | None) -> None:
        """Count a call by the key as the database has it, where it was not counted so.

        What counts is how this call came in: others may have made the key known meanwhile.

        Raises:
            LimitReachedError: The key has made too many calls in the last minute.
        """
        known = self._known.get(key_hash)
        if key is None or (known is None and not key.has_rates):
            return
        # Mostly it is the very key that was known, which the committer remembers as well.
        limits = known.limits if known and known.key is key else _limits_of(key)
        if limits:
            if known is None and len(self._known) >= MAX_KNOWN_KEYS:
                self._known.clear()
            self._known[key_hash] = _Known(key, limits, self._clock.monotonic())
        else:
            self._known.pop(key_hash, None)
        if entered.charged_by != limits:
            entered.charge(limits)

    def standings(self, caller: Limited) -> list[Standing]:
        """Return how the limits of a caller stand, taking nothing."""
        found: list[Standing] = []
        for charge in _charges(_limits_of(caller), requests=0, tokens=0) if self._rates else ():
            try:
                found += self.take([charge])
            except LimitReachedError as overdrawn:
                reset_us = MINUTE_US + overdrawn.retry_after_us
                found.append(Standing(charge.unit, charge.limit, 0, reset_us, charge.whose))
        return found

    def take(self, charges: Sequence[Charge]) -> Sequence[Standing]:
        """Take from limits, all of them or none."""
        return self._rates.take(charges) if self._rates and charges else ()

    def correct(self, charge: Charge, amount: int) -> None:
        """Take more of a limit, or give back."""
        if self._rates and amount:
            self._rates.correct(charge, amount)

    def free_place(self, wallet_id: str | None) -> None:
        """Free the place of a stream, of an account if it was counted for one."""
        self._places.free(wallet_id)


class _Limit(NamedTuple):
    """One limit per minute: what names its count, of what it is, how many, and whose."""

    counter: str
    unit: str
    most: int
    whose: Whose


_Limits = tuple[_Limit, ...]


class _Known(NamedTuple):
    """A key as the database had it at its last call, its limits, and when that was."""

    key: ApiKey
    limits: _Limits
    since_s: float


def _limits_of(caller: Limited) -> _Limits:
    """Return the limits per minute that a caller is held to, those of requests first."""
    # All begin with the wallet: Redis counts what does so in one place (redis_counters).
    own, shared = f"{caller.wallet_id}:{caller.counter_id}", f"{caller.wallet_id}:all"
    limits = (
        (own, "requests", caller.limits.rpm, Whose.KEY),
        (shared, "requests", caller.account_limits.rpm, Whose.ACCOUNT),
        (own, "tokens", caller.limits.tpm, Whose.KEY),
        (shared, "tokens", caller.account_limits.tpm, Whose.ACCOUNT),
    )
    return tuple(
        _Limit(f"{name}:{unit}", unit, most, whose)
        for name, unit, most, whose in limits
        if most is not None
    )


def _charges(limits: _Limits, *, requests: int, tokens: int) -> list[Charge]:
    """Return what is taken of each limit."""
    return [
        Charge(counter, unit, most, min(requests if unit == "requests" else tokens, most), whose)
        for counter, unit, most, whose in limits
    ]


def _tokens_of(request: InferenceRequest) -> int:
    """Return how many tokens a call is taken for until it has been counted."""
    output = request.output_limit
    if output is None:
        output = ASSUMED_OUTPUT_TOKENS
    elif request.sold_by is not None:
        # It is no limit of the client's, but the most that there may be.
        output = min(output, ASSUMED_OUTPUT_TOKENS)
    extent = request.extent if request.sold_by in TOKENS else None
    units = 0 if extent is None else extent.about
    return request.prompt_estimate + output * request.choices + units


class Pass:
    """One call that was let in.

    Attributes:
        standings: How the limits of its key stand, for the headers of the answer.
        charged_by: The limits that it was counted by.
        has_place: Whether it has the place of a stream.
        wallet_id: The account that the place was counted for.
    """

    def __init__(self, gate: CallGate, request: InferenceRequest, key_hash: bytes) -> None:
        self._gate = gate
        self._request = request
        self._charges: Sequence[Charge] = ()
        self.standings: Sequence[Standing] = ()
        self.charged_by: _Limits = ()
        self.key_hash = key_hash
        self.has_place = request.stream
        self.wallet_id: str | None = None

    def charge(self, limits: _Limits) -> None:
        """Take from the limits of a caller, instead of what was taken before.

        Raises:
            LimitReachedError: One of them has not enough left; nothing is taken then.
        """
        self._give_back()
        charges = _charges(limits, requests=1, tokens=_tokens_of(self._request))
        self.standings = self._gate.take(charges)
        self._charges = charges
        self.charged_by = limits

    def cancel(self) -> None:
        """Give everything back: no call was made. More than once is fine."""
        self._give_back()
        self._free()

    def leave(self, usage: Usage | None) -> None:
        """End the call, by the tokens that it used, if any. More than once is fine."""
        tokens = usage.prompt_tokens + usage.completion_tokens if usage else 0
        if usage and self._request.sold_by in TOKENS:
            tokens += usage.units
        charges, self._charges = self._charges, ()
        self._free()
        for charge in charges:
            if charge.unit == "tokens":
                self._gate.correct(charge, tokens - charge.amount)

    def _give_back(self) -> None:
        charges, self._charges = self._charges, ()
        for charge in charges:
            self._gate.correct(charge, -charge.amount)

    def _free(self) -> None:
        if self.has_place:
            self.has_place = False
            self._gate.free_place(self.wallet_id)
