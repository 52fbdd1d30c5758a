"""Carries inference calls to LiteLLM and its answers back."""

from __future__ import annotations

import re
import time

from adapters.litellm.answers import (
    COST,
    USUAL_COST_HEADERS,
    BrokenBeforeAnswerError,
    LiteLLMAnswer,
)
from adapters.litellm.breaker import Breaker, SilentModels
from adapters.litellm.connections import (
    Address,
    Connection,
    ConnectionPool,
    NoFreeConnectionError,
)
from adapters.litellm.faults import failure_in_document, refusal, refuses_key
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamKeyRefusedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.ports.clients import UNSEEN, Client
from creditcore.ports.inference import HeardWire, LongBody
from creditcore.ports.metrics import PoolUse
from creditcore.ports.outgoing import OutgoingBody

_MAX_REFUSAL_BYTES = 64 * 1024
_REFUSAL_TIMEOUT_S = 10.0
_MARK = b"\xef\xbb\xbf"
_DOCUMENT_BEGINS = frozenset({b"{", b"[", b" ", b"\n", b"\r", _MARK[:1]})
_STREAM_BEGINS = frozenset({b"d", b"e", b"i", b"r", b":"})
"""Of ``data``, ``event``, ``id`` and ``retry``, and of a comment."""

_OK_STATUSES = range(200, 300)
_COST_HEADERS: dict[str, tuple[str, ...]] = {
    # LiteLLM 1.91.5 leaves tokens of the cache out of its first figure there.
    "/v1/messages": (COST,),
    # It leaves white space out of the characters, and measures a sound by itself: figures that
    # differ from the provider's bill say nothing about a price.
    "/v1/audio/speech": (),
    "/v1/audio/transcriptions": (),
}
_CALL_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class LiteLLMRelay:
    """Sends requests over pooled keep-alive connections.

    The request head is built from nothing: no header of a client ever reaches the
    proxy, so none can choose a key, a tag or a price there. A protocol may add headers
    of its own; what may stand in them is its wire's to say.
    """

    def __init__(
        self,
        *,
        base_url: str,
        master_key: str,
        size: int = 256,
        connect_timeout_s: float = 3.0,
        wait_timeout_s: float = 5.0,
        head_timeout_s: float = 120.0,
        first_byte_timeout_s: float = 60.0,
    ) -> None:
        """Open nothing yet.

        Args:
            base_url: The proxy's address, a path prefix included, without ``/v1``.
            master_key: The proxy's key.
            size: How many calls may run at once in this process.
            connect_timeout_s: How long a new connection may take.
            wait_timeout_s: How long to wait for a free place when all are busy.
            head_timeout_s: How long the head of a whole answer may take. The model
                writes all of it before that, so this bounds the answer's own time.
            first_byte_timeout_s: How long the head of a stream may take. The proxy sends
                it with the first token.

        Raises:
            ValueError: The address or the key cannot be used.
        """
        address = Address.parse(base_url)
        if not master_key.isascii() or not master_key.isprintable():
            raise ValueError("the master key cannot be sent in a header")
        self._prefix = address.prefix
        self._host = f"host: {address.host_header}\r\n"
        self._master_key = master_key
        self._head = (
            "user-agent: creditcore\r\n"
            # The meter reads what passes, so it must not be compressed.
            "accept-encoding: identity\r\n"
        )
        self._breaker = Breaker()
        self._silent = SilentModels()
        self._head_timeout_s = head_timeout_s
        self._first_byte_timeout_s = first_byte_timeout_s
        self._pool = ConnectionPool(
            address, size=size, connect_timeout_s=connect_timeout_s, wait_timeout_s=wait_timeout_s
        )

    def pool_use(self) -> PoolUse:
        """Return how many calls of this process are under way."""
        return self._pool.use()

    def check(self) -> None:
        """Say at once if the server is known to be down.

        A call that is refused after this, for want of credits say, is no try: only ``send`` is.

        Raises:
            UpstreamUnavailableError: It has not answered several calls in a row.
        """
        if not self._breaker.might_allow():
            raise UpstreamUnavailableError

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
    ) -> LiteLLMAnswer:
        """Send a request and return its answer once its head has arrived.

        The caller must close the answer, or its place in the pool is lost.

        Args:
            wire: Names the route, and headers of the protocol.
            body: What ``wire.upstream_body`` returned; a long one is forgotten once it has left.
            model: The model it asks for.
            stream: Whether it asks for a stream.
            call_id: Our reference of the call; LiteLLM logs the call under it.
            key: The virtual key there that the call goes out with; the master key if None.
            client: Asked once a second while the proxy is silent.

        Raises:
            ClientLeftError: It left; the connection is closed, which ends the call there.
            UpstreamKeyRefusedError: It refused ``key``, or its budget; no model ran.
            UpstreamRejectedError: It refused this request.
            UpstreamUnavailableError: It is down, at fault, or refused us; or this model has
                kept several calls in a row waiting in vain.
            UpstreamTimeoutError: It stayed silent for too long.
            ValueError: The call id could not stand in a header.
        """
        if self._silent and not self._silent.allow(model):
            raise UpstreamUnavailableError
        if not self._breaker.allows():
            raise UpstreamUnavailableError
        rest = wire.rest()
        length = body.length + (rest.length if rest else 0)
        head = self._head_of(wire, length, call_id=call_id, key=key, streams=stream)
        timeout_s = self._first_byte_timeout_s if stream else self._head_timeout_s
        try:
            answer = self._exchange(
                wire, head, body, rest, deadline=time.monotonic() + timeout_s, client=client
            )
        except NoFreeConnectionError:
            # That all of ours are busy says nothing of the server.
            raise
        except UpstreamTimeoutError:
            self._silent.fell_silent(model)
            raise
        except UpstreamUnavailableError:
            self._breaker.failed()
            raise
        self._breaker.succeeded()
        if self._silent:
            self._silent.answered(model)
        if answer.status in _OK_STATUSES:
            return _accepted(answer, stream=stream)
        try:
            said = answer.read_beginning(_MAX_REFUSAL_BYTES, timeout_s=_REFUSAL_TIMEOUT_S)
            if key is not None and refuses_key(answer.status, said):
                raise UpstreamKeyRefusedError
            raise refusal(answer.status, said, retry_after=answer.retry_after)
        finally:
            answer.close()

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    def _head_of(
        self, wire: HeardWire, length: int, *, call_id: str, key: str | None, streams: bool
    ) -> bytes:
        if not _CALL_ID.fullmatch(call_id):
            raise ValueError(f"not a call id: {call_id!r}")
        headers = wire.upstream_headers
        of_protocol = "" if "content-type" in headers else "content-type: application/json\r\n"
        for name, value in headers.items():
            of_protocol += f"{name}: {value}\r\n"
        head = (
            f"POST {self._prefix}{wire.endpoint} HTTP/1.1\r\n"
            f"{self._host}"
            f"authorization: Bearer {key or self._master_key}\r\n"
            f"{self._head}{of_protocol}"
            f"accept: {'text/event-stream' if streams else 'application/json'}\r\n"
            f"x-litellm-call-id: {call_id}\r\n"
            f"content-length: {length}\r\n"
            "\r\n"
        )
        return head.encode("ascii")

    def _exchange(
        self,
        wire: HeardWire,
        head: bytes,
        body: OutgoingBody,
        rest: LongBody | None,
        *,
        deadline: float,
        client: Client,
    ) -> LiteLLMAnswer:
        """Send the message and wait for a head, on a kept connection first if there is one.

        A server closes a kept connection when it has been idle for long, perhaps just as
        our request is on its way. Only then, when a connection that had served before
        breaks without a single byte of an answer, is the message sent once more, on a new
        connection: a server that closes an idle connection has not taken this request, so
        no model has run and nothing can be billed for it. (A server that died over it leaves
        the same sign. Our hold is one and is settled once, so the client still pays once.)
        A long body, which is not kept to be sent again, goes on a new connection at once.
        """
        connection = self._pool.take(new=body.is_long)
        try:
            while True:
                try:
                    _write(connection, head, body, rest, deadline=deadline, client=client)
                    return LiteLLMAnswer(
                        connection,
                        self._pool,
                        deadline=deadline,
                        client=client,
                        cost_headers=_COST_HEADERS.get(wire.endpoint, USUAL_COST_HEADERS),
                    )
                except BrokenBeforeAnswerError:
                    if not connection.reused:
                        raise
                # From here on it has served nothing, so this happens once.
                connection.reopen()
        except BaseException:
            self._pool.discard(connection)
            raise


def _write(
    connection: Connection,
    head: bytes,
    body: OutgoingBody,
    rest: LongBody | None,
    *,
    deadline: float,
    client: Client,
) -> None:
    """Send a message.

    Raises:
        ClientLeftError: The client went away meanwhile.
        UpstreamTimeoutError: The server did not take it in time.
    """
    try:
        if body.is_long:  # joining it would copy it
            connection.send(head, deadline=deadline, client=client)
            connection.send(body.data, deadline=deadline, client=client)
        else:
            connection.send(head + body.data, deadline=deadline, client=client)
        for part in rest.parts() if rest else ():
            connection.send(part, deadline=deadline, client=client)
    except TimeoutError as error:
        raise UpstreamTimeoutError from error
    except OSError:
        # The server may have refused before it read everything: its answer, if there
        # is one, says more than our broken pipe.
        pass
    if body.is_long:
        body.forget()
        client.request_sent()


def _accepted(answer: LiteLLMAnswer, *, stream: bool) -> LiteLLMAnswer:
    """Return an answer of status 200, unless it is an error all the same.

    Where a stream was asked for, some servers write an error as a document, or a whole answer; and
    some do not say that it is a stream.
    """
    failure: UpstreamError | None = None
    if answer.is_encoded:
        failure = UpstreamUnavailableError()
    elif stream and not answer.streamed:
        failure = _failure_of_unnamed(answer)
    if failure is not None:
        answer.close()
        raise failure
    return answer


def _failure_of_unnamed(answer: LiteLLMAnswer) -> UpstreamError | None:
    """Return why an answer that does not say that it is a stream cannot stand for one."""
    begun = answer.read_beginning(1, timeout_s=_REFUSAL_TIMEOUT_S)
    if begun in _STREAM_BEGINS:
        return None
    if begun not in _DOCUMENT_BEGINS:
        return UpstreamUnavailableError()
    said = answer.read_beginning(_MAX_REFUSAL_BYTES, timeout_s=_REFUSAL_TIMEOUT_S)
    if (failure := failure_in_document(said)) is not None:
        return failure
    return (
        None if said.removeprefix(_MARK).lstrip().startswith(b"{") else UpstreamUnavailableError()
    )
