"""Where the time of a single call goes, for an operator who looks into one that was slow."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits


class Phase(StrEnum):
    """What a call does, one after the other."""

    ADMISSION = "admission"
    """Its request is read and priced, its key's limits are checked."""

    HOLD = "hold"
    """Its credits are held, in the database."""

    UPSTREAM = "upstream"
    """The model server has it and has not answered yet."""

    ANSWER = "answer"
    """Its answer is relayed."""

    SETTLEMENT = "settlement"
    """Its charge waits to be durable."""


class CallTrace(Protocol):
    """Follows one call. It is on the call's path: quick, waits for nothing, raises nothing."""

    def enter(self, phase: Phase) -> None:
        """Note that a phase begins; the one before it is over."""

    def failed(self, error: BaseException) -> None:
        """Note that the call was refused, or failed before its answer began."""

    def settled(self, call: Call | None, outcome: Outcome, *, charged: Credits) -> None:
        """Note that the charge is durable: the call is over."""


class CallTraces(Protocol):
    """Follows the calls of a process."""

    def start(self) -> None:
        """Begin to send what is noted; before that, and in other processes, nothing is kept."""

    def begin(self, call_id: str) -> CallTrace:
        """Follow a call, which begins with its admission."""

    def close(self) -> None:
        """Send what is left, if that is quickly done."""


class NoTraces:
    """Follows no call; is the trace of each."""

    def start(self) -> None:
        """Do nothing."""

    def begin(self, call_id: str) -> CallTrace:  # noqa: ARG002 - no call has a trace
        """Return a trace that forgets."""
        return self

    def enter(self, phase: Phase) -> None:
        """Forget it."""

    def failed(self, error: BaseException) -> None:
        """Forget it."""

    def settled(self, call: Call | None, outcome: Outcome, *, charged: Credits) -> None:
        """Forget it."""

    def close(self) -> None:
        """Do nothing."""
