"""A hold: credits reserved for a call before it runs, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from creditcore.domain.counting import ALL_REPORTED
from creditcore.domain.counting import Counted as Counting
from creditcore.domain.errors import ReferenceConflictError
from creditcore.domain.limits import Counted, member_of
from creditcore.domain.makers import maker_of
from creditcore.domain.money import ZERO, Credits
from creditcore.domain.pricing import Usage


class HoldState(StrEnum):
    """Where a hold is in its life. It leaves ``OPEN`` exactly once."""

    OPEN = "open"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class Basis(StrEnum):
    """What a charge was computed from."""

    PROVIDER_USAGE = "provider_usage"
    """The token counts that the provider reported."""

    COUNTED_OUTPUT = "counted_output"
    """No usage arrived: the prompt and the delivered text, counted by us."""

    NONE = "none"
    """A failed call without usage, or no call at all: nothing is charged."""


class Call(NamedTuple):
    """What a hold is for: one inference call, as known before it runs.

    Attributes:
        model: The public model name.
        endpoint: The route that was called, such as ``/v1/chat/completions``.
        stream: Whether the answer is streamed.
        key_id: The API key that called, where one did.
        prompt_bound: Tokens the prompt can never exceed, or what it is held for by a count.
        output_bound: Tokens the answer can never exceed, all choices together.
        price_snapshot: Names the rates that the call is priced by.
        multiplier: Credits per cent of provider cost when the call began, as decimal text.
        repeat_id: The name of the request that makes the call, where that repeats an earlier one.
    """

    model: str
    endpoint: str = ""
    stream: bool = False
    key_id: str | None = None
    prompt_bound: int = 0
    output_bound: int = 0
    price_snapshot: str | None = None
    multiplier: str = ""
    repeat_id: str | None = None

    def with_key(self, key_id: str) -> Call:
        """Return the same call, made with a key."""
        # Every call comes by here, and ``_replace`` takes three times as long.
        return make_call(
            model=self.model,
            endpoint=self.endpoint,
            stream=self.stream,
            key_id=key_id,
            prompt_bound=self.prompt_bound,
            output_bound=self.output_bound,
            price_snapshot=self.price_snapshot,
            multiplier=self.multiplier,
            repeat_id=self.repeat_id,
        )


make_call = maker_of(Call)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a call, written when its hold is closed.

    Attributes:
        basis: What the charge was computed from.
        usage: Tokens by bucket, where known.
        counted: Which side of it is by our own count, and why.
        provider_cost_picodollars: Our price of the usage before markup, in 10^-12 USD, rounded up.
        reported_cost_picodollars: What the model server said it cost, to the nearest 10^-12 USD;
            None where it said nothing that can be read. Nothing is charged by it.
        status: The HTTP status that the caller saw; 499 where the caller left first.
        error: A short machine-readable word where the call failed.
        latency_ms: From admission to the last byte, by a clock that is never set.
        first_byte_ms: From admission to the first byte of the answer, by the same clock.
    """

    basis: Basis = Basis.NONE
    usage: Usage | None = None
    counted: Counting = ALL_REPORTED
    provider_cost_picodollars: int = 0
    reported_cost_picodollars: int | None = None
    status: int = 0
    error: str | None = None
    latency_ms: int = 0
    first_byte_ms: int | None = None


make_outcome = maker_of(Outcome)

NOTHING_YET = Outcome()
"""What came of a call that still runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Credits of one wallet, reserved under one reference.

    Attributes:
        reference: Our unique name of the call; asking again with it changes nothing.
        amount: The most the call may cost. Zero only for a call that is free.
        charged: What was taken from the wallet in the end, never above ``amount``.
        written_off: Cost beyond the hold, or after it: borne by the operator, never by the wallet.
        expires_at: When no process can still be working on it.
        counted: Where it counts towards the limits of its key, its account, and its member.
    """

    reference: str
    wallet_id: str
    amount: Credits
    created_at: datetime
    expires_at: datetime
    state: HoldState = HoldState.OPEN
    charged: Credits = ZERO
    written_off: Credits = ZERO
    closed_at: datetime | None = None
    call: Call | None = None
    outcome: Outcome = NOTHING_YET
    counted: tuple[Counted, ...] = ()

    @property
    def member_id(self) -> str:
        """The member of a team who made the call; empty where the wallet is a person's own."""
        members = (member_of(each.counter_id) for each in self.counted)
        return next((name for name in members if name), "")

    def __post_init__(self) -> None:
        # Numbers, not credits: every call comes by here twice.
        if not 0 <= self.charged.microcredits <= self.amount.microcredits:
            raise ValueError(
                f"a charge is between zero and its hold: {self.charged}, {self.amount}"
            )

    @property
    def is_open(self) -> bool:
        """Whether the credits are still reserved."""
        return self.state is HoldState.OPEN

    def same_as(self, *, wallet_id: str, model: str | None) -> Hold:
        """Return this hold if a repeated request means the same thing.

        The amount is not compared: a repeat may find another balance or another
        price, and the first answer stands.

        Raises:
            ReferenceConflictError: The reference belongs to another wallet or model.
        """
        if self.wallet_id != wallet_id or (self.call.model if self.call else None) != model:
            raise ReferenceConflictError(self.reference)
        return self

    def close(
        self,
        state: HoldState,
        *,
        at: datetime,
        charged: Credits = ZERO,
        written_off: Credits = ZERO,
        outcome: Outcome | None = None,
    ) -> Hold:
        """Return the hold as it leaves the open state."""
        # Every call comes by here, and ``replace`` would look at each field once more.
        return make_hold(
            reference=self.reference,
            wallet_id=self.wallet_id,
            amount=self.amount,
            created_at=self.created_at,
            expires_at=self.expires_at,
            state=state,
            charged=charged,
            written_off=written_off,
            # A clock may have been set back meanwhile; nothing ends before it began.
            closed_at=max(at, self.created_at),
            call=self.call,
            outcome=outcome or self.outcome,
            counted=self.counted,
        )


make_hold = maker_of(Hold)
