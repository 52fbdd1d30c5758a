"""The model server's inference side: carries the bytes of a call there and back."""

from __future__ import annotations

from typing import Protocol

from creditcore.domain.errors import UpstreamError
from creditcore.ports.clients import UNSEEN, Client
from creditcore.ports.inference import HeardWire
from creditcore.ports.outgoing import OutgoingBody


class UpstreamAnswer(Protocol):
    """An answer that has begun."""

    @property
    def streamed(self) -> bool:
        """Whether it is an event stream, rather than one document."""

    @property
    def reported_cost(self) -> str | None:
        """What its head says that it cost, in USD as decimal text; it is not checked.

        A stream's head is written before that is known, and says nothing.
        """

    def explain(self, error: object) -> UpstreamError:
        """Return what an error object within the answer means, of any shape.

        The text is the provider's where the client may hear it, with the time to wait in it.
        """

    def read(self, *, wait_s: float) -> bytes | None:
        """Return the next bytes, ``b""`` at the end, or None if none came in time.

        Raises:
            UpstreamUnavailableError: The upstream broke off.
        """

    def close(self) -> None:
        """Give the connection back if the answer was read to its end, else close it."""


class Upstream(Protocol):
    """The model server's inference side."""

    def check(self) -> None:
        """Say at once, without asking it, if it is known to be down.

        Raises:
            UpstreamUnavailableError: It has not answered for a while; try again soon.
        """

    def send(
        self,
        wire: HeardWire,
        body: OutgoingBody,
        *,
        model: str,
        stream: bool,
        call_id: str,
        key: str | None = None,
        client: Client = UNSEEN,
    ) -> UpstreamAnswer:
        """Send a request and return its answer once its head has arrived.

        Args:
            wire: Names the route, and headers of the protocol.
            body: What ``wire.upstream_body`` returned; a long one is forgotten once it has left.
            model: The model it asks for.
            stream: Whether it asks for a stream.
            call_id: Our reference of the call.
            key: The secret of the caller's own key there; None for ours.
            client: Asked whether it is still there while the server is silent.

        Raises:
            ClientLeftError: The client went away meanwhile, and the call was given up.
            UpstreamKeyRefusedError: It refused ``key``; no model ran.
            UpstreamRejectedError: It refused this request.
            UpstreamUnavailableError: It is down, at fault, or refused us.
            UpstreamTimeoutError: It stayed silent for too long.
        """
