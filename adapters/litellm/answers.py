"""An answer as it comes off a connection: its head, its bytes, its end."""

from __future__ import annotations

import time
from collections.abc import Sequence

# Without the library's own answer around it, which does more for each header than llhttp.
from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

from adapters.litellm.connections import LOOK_EVERY_S, Connection, ConnectionPool
from adapters.litellm.faults import failure_within
from creditcore.domain.errors import (
    ClientLeftError,
    UpstreamError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.ports.clients import UNSEEN, Client

_MAX_HEAD_BYTES = 64 * 1024
_FIRST_FINAL_STATUS = 200
COST = "x-litellm-response-cost"
"""What an answer cost, by the terms of the operator there."""

_COST_BEFORE_TERMS = "x-litellm-response-cost-original"
USUAL_COST_HEADERS = (_COST_BEFORE_TERMS, COST)
"""Where a document's cost is told: what LiteLLM's prices make of the answer first, since ours
are to be compared with them, not with a discount or margin that is set there."""

_WAIT_HEADERS = ("retry-after", "llm_provider-retry-after")
"""How long to wait: as the proxy says it, and as the provider told the proxy."""

_FINE_WAIT_HEADERS = tuple(f"{name}-ms" for name in _WAIT_HEADERS)
"""The same in milliseconds, as OpenAI and Azure say it as well."""

_HEADERS_READ = frozenset(
    {
        *("content-type", "content-encoding", COST, _COST_BEFORE_TERMS),
        *(*_WAIT_HEADERS, *_FINE_WAIT_HEADERS),
    }
)


class BrokenBeforeAnswerError(UpstreamUnavailableError):
    """The connection broke before a single byte of an answer."""


class LiteLLMAnswer:
    """One answer, read from a connection that is its own until ``close``.

    Attributes:
        status: The HTTP status.
        streamed: Whether it is an event stream, rather than one document.
        is_encoded: Whether it is compressed, although we asked for it not to be.
    """

    def __init__(
        self,
        connection: Connection,
        pool: ConnectionPool,
        *,
        deadline: float,
        cost_headers: Sequence[str] = USUAL_COST_HEADERS,
        client: Client = UNSEEN,
    ) -> None:
        """Wait for the head. If that fails, the connection is still the caller's.

        Args:
            connection: Has just sent the request.
            pool: Where the connection goes in the end.
            deadline: When to give up, in ``time.monotonic``.
            cost_headers: Where its cost is told, the best first.
            client: Asked once a second whether it is still there.

        Raises:
            ClientLeftError: The client went away meanwhile.
            BrokenBeforeAnswerError: The server closed without a word.
            UpstreamUnavailableError: It broke off, or does not speak HTTP.
            UpstreamTimeoutError: No complete head in time.
        """
        self._connection: Connection | None = connection
        self._pool = pool
        self._cost_headers = cost_headers
        self._parser = _AnswerParser()
        self._read_head(deadline, client)
        self.status = self._parser.status
        headers = self._parser.headers
        self.streamed = headers.get("content-type", "").lower().startswith("text/event-stream")
        self.is_encoded = headers.get("content-encoding", "identity").lower() != "identity"

    @property
    def reported_cost(self) -> str | None:
        """What LiteLLM says that a document cost, as it says it.

        On a stream these headers leave before anything is known; some versions write nonsense
        there.
        """
        if not self.streamed:
            for name in self._cost_headers:
                if cost := self._parser.headers.get(name):
                    return cost
        return None

    @property
    def retry_after(self) -> str | None:
        """When to come back, as a refusal says it: seconds, milliseconds (``9ms``), or a date."""
        if wait := next(filter(None, map(self.header, _WAIT_HEADERS)), None):
            return wait
        fine = next(filter(None, map(self.header, _FINE_WAIT_HEADERS)), None)
        return fine and f"{fine}ms"

    def explain(self, error: object) -> UpstreamError:
        """Return what an error object within the answer means."""
        return failure_within(error)

    def header(self, name: str) -> str | None:
        """Return one of the headers that are read at all."""
        return self._parser.headers.get(name)

    def read(self, *, wait_s: float) -> bytes | None:
        """Return the next bytes, ``b""`` at the end, or None if none came in time.

        Silence damages nothing: reading may go on afterwards. The end is where HTTP says
        it is: the last chunk, the announced length, or, for an answer with neither, the
        end of the connection.

        Raises:
            UpstreamUnavailableError: The upstream broke off before the end.
        """
        deadline = time.monotonic() + wait_s
        while not self._parser.body and not self._parser.done:
            if not self._advance(deadline):
                return None
        return self._parser.take_body()

    def read_beginning(self, limit: int, *, timeout_s: float) -> bytes:
        """Return what can be read of the body, ``limit`` bytes at most, in bounded time.

        Fewer come from a server that falls silent or breaks off; nothing is raised. What was
        read comes again where reading goes on.
        """
        deadline = time.monotonic() + timeout_s
        beginning = b""
        try:
            while len(beginning) < limit:
                block = self.read(wait_s=deadline - time.monotonic())
                if not block:
                    break
                beginning += block
        except UpstreamUnavailableError:
            pass
        if beginning:
            self._parser.body.insert(0, beginning)
        return beginning[:limit]

    def close(self) -> None:
        """Give the connection back if the answer was read to its end, else close it at once.

        A repeat does nothing.
        """
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._parser.done and self._parser.keep_alive:
            self._pool.give_back(connection)
        else:
            self._pool.discard(connection)

    def _read_head(self, deadline: float, client: Client) -> None:
        while not self._parser.has_final_head:
            look = min(deadline, time.monotonic() + LOOK_EVERY_S)
            if self._advance(look):
                continue
            if look == deadline:
                raise UpstreamTimeoutError
            if client.has_left():
                raise ClientLeftError

    def _advance(self, deadline: float) -> bool:
        """Parse the next bytes from the connection; whether any came in time."""
        if self._connection is None:
            raise UpstreamUnavailableError
        try:
            data = self._connection.receive(deadline=deadline)
        except OSError as error:
            raise self._broken() from error
        if data is None:
            return False
        if not data and not self._parser.has_begun:
            raise BrokenBeforeAnswerError
        try:
            self._parser.feed(data)
        except HTTPParseError as error:
            self._parser.keep_alive = False
            # Bytes behind a complete answer belong to no request.
            if not self._parser.done:
                raise UpstreamUnavailableError from error
        if not data and not self._parser.done:
            raise UpstreamUnavailableError
        return True

    def _broken(self) -> UpstreamUnavailableError:
        return UpstreamUnavailableError() if self._parser.has_begun else BrokenBeforeAnswerError()


class _AnswerParser(HTTPResponseParser):
    """llhttp, strict as it is, fed by us, for one answer.

    Interim answers (1xx) pass by; bytes behind the final one are an error. A model server
    sends many headers: those that are not read here are counted and dropped.

    Attributes:
        status: The status of the final answer, 0 before its head is complete.
        headers: Those of ``_HEADERS_READ``, by name; what came twice is one list, as HTTP has it.
        has_begun: Whether anything arrived.
        has_final_head: Whether the head of the answer proper is complete.
        done: Whether the answer is complete.
        keep_alive: Whether the connection may serve another one.
        body: The parts of its body that were not taken yet.
    """

    # LiteLLM sends some thirty headers, and what llhttp calls for each part touches these.
    __slots__ = (
        "_head_bytes",
        "_name",
        "_value",
        "body",
        "done",
        "has_begun",
        "has_final_head",
        "headers",
        "keep_alive",
        "status",
    )

    def __init__(self) -> None:
        super().__init__()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.has_begun = False
        self.has_final_head = False
        self.done = False
        self.keep_alive = False
        self.body: list[bytes] = []
        self._name = ""
        self._value: str | None = None
        self._head_bytes = 0

    def feed(self, data: str | bytes) -> None:
        self.has_begun = True
        super().feed(data)
        if self._name:
            self._check_head()

    def take_body(self) -> bytes:
        """Return the body bytes parsed since the last time."""
        body = b"".join(self.body)
        self.body.clear()
        return body

    # What llhttp calls. Parts of a name or a value come one by one where the bytes were cut.

    def _on_message_begin(self) -> None:
        if self.done:
            raise HTTPParseError("a second answer to one request")
        self.status = 0
        self.headers.clear()

    def _on_status(self, _phrase: str) -> None:
        pass

    def _on_header_field(self, part: str) -> None:
        if self._value is not None:
            # A name behind a value: the header before it is whole. Kept right here, since
            # thirty more calls of a function would be felt.
            name, value = self._name.lower(), self._value
            self._head_bytes += len(name) + len(value)
            if name in _HEADERS_READ and not self.status:
                earlier = self.headers.get(name)
                self.headers[name] = value if earlier is None else f"{earlier}, {value}"
            self._name, self._value = "", None
        self._name += part

    def _on_header_value(self, part: str) -> None:
        self._value = part if self._value is None else self._value + part

    def _on_headers_complete(self) -> None:
        # The last header is whole too; each has a value, which may be empty.
        self._on_header_field("")
        self._check_head()
        self.status = int(self.get_code())
        self.has_final_head = self.status >= _FIRST_FINAL_STATUS

    def _on_body(self, part: bytearray) -> None:
        self.body.append(bytes(part))

    def _on_message_complete(self) -> None:
        if self.has_final_head:
            self.done = True
            self.keep_alive = bool(self.should_keep_alive())

    def _check_head(self) -> None:
        # Trailers behind the last chunk count too, and a header that goes on and on.
        if self._head_bytes + len(self._name) + len(self._value or "") > _MAX_HEAD_BYTES:
            raise HTTPParseError("the head of the answer is too long")
