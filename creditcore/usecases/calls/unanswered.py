"""What stands for the answer of a call whose client left before there was one."""

from __future__ import annotations

from creditcore.domain.errors import UpstreamError, UpstreamUnavailableError


class Unanswered:
    """An answer that ends before its first byte.

    Attributes:
        streamed: Whether it would have been an event stream.
    """

    reported_cost: str | None = None

    def __init__(self, *, streamed: bool) -> None:
        self.streamed = streamed

    def explain(self, error: object) -> UpstreamError:
        """Return what an error within it means; there is none."""
        return UpstreamUnavailableError(str(error))

    def read(self, *, wait_s: float) -> bytes | None:  # noqa: ARG002 - nothing to wait for
        """Say that it is over."""
        return b""

    def close(self) -> None:
        """Its connection is closed already."""
