"""Where the time of a single call goes, for an operator who looks into one that was slow."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from creditcore.domain.holds import Call, Outcome
from creditcore.domain.money import Credits

_log = logging.getLogger(__name__)


class Part(StrEnum):
    """How much of a call goes through here: the name of its outermost span."""

    CALL = "call"
    """All of it."""

    AUTHORIZE = "authorize"
    """Its hold; the call is made at the model server itself."""

    LOG_USAGE = "log-usage"
    """Its settlement, by the model server's report."""


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

    def allowed(self, call: Call) -> str:
        """Note that the hold of a call is durable, which is made elsewhere: this part is over.

        Returns:
            What the next part of the call is to name as its parent, as a W3C ``traceparent``;
            empty where nothing follows it.
        """

    def settled(self, call: Call | None, outcome: Outcome, *, charged: Credits) -> None:
        """Note that the charge is durable: the call is over."""


class CallTraces(Protocol):
    """Follows the calls of a process."""

    def start(self) -> None:
        """Begin to send what is noted; before that, and in other processes, nothing is kept.

        Raises nothing: where it cannot be sent, the log says why, and no call is followed.
        """

    def fault(self) -> str | None:
        """Return why no trace arrives, having tried; None if they do, or none are wanted."""

    def begin(self, call_id: str, *, part: Part = Part.CALL, parent: str = "") -> CallTrace:
        """Follow a call, or a part of it.

        Args:
            call_id: The call.
            part: How much of it goes through here.
            parent: What it belongs to, as a W3C ``traceparent``; it begins a trace of its own
                where that is empty or cannot be read.
        """

    def close(self) -> None:
        """Send what is left, if that is quickly done."""


@dataclass(frozen=True, slots=True)
class NoTraces:
    """Follows no call; is the trace of each.

    Attributes:
        why: What keeps traces from being sent, where they are wanted.
    """

    why: str = ""

    def start(self) -> None:
        """Say why there are none."""
        if self.why:
            _log.warning("No traces are sent: %s", self.why)

    def fault(self) -> str | None:
        """Return why there are none."""
        return self.why or None

    def begin(
        self,
        call_id: str,  # noqa: ARG002 - no call has a trace
        *,
        part: Part = Part.CALL,  # noqa: ARG002
        parent: str = "",  # noqa: ARG002
    ) -> CallTrace:
        """Return a trace that forgets."""
        return self

    def enter(self, phase: Phase) -> None:
        """Forget it."""

    def failed(self, error: BaseException) -> None:
        """Forget it."""

    def allowed(self, call: Call) -> str:  # noqa: ARG002 - nothing follows it
        """Forget it."""
        return ""

    def settled(self, call: Call | None, outcome: Outcome, *, charged: Credits) -> None:
        """Forget it."""

    def close(self) -> None:
        """Do nothing."""
