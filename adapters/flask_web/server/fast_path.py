"""Requests as nearly all clients write them, read at a fraction of the price.

gunicorn reads a request line by line in Python. Here one regular expression says whether a head
is plain: written in that part of what gunicorn allows where there is nothing to decide. A head
that is not plain is put back and left to gunicorn, so that gunicorn alone refuses.
"""

from __future__ import annotations

import functools
import re
import time
from io import BytesIO
from typing import Any

import gevent
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import ParseException
from gunicorn.http.message import MAX_REQUEST_LINE, Request, _ip_in_allow_list
from gunicorn.http.parser import RequestParser

from adapters.flask_web.server.lingering import linger
from adapters.flask_web.web.turns import give_way

# A token, without "_": in the environment of a request it could not be told from "-".
_NAME = r"[!#$%&'*+\-.^`|~0-9A-Za-z]++"
# Tabs, and every byte that is no control character.
_VALUE = r"[\t -~\x80-\xff]*+"
# Two slashes could begin the name of a host, and "#" begins a fragment.
_TARGET = r'/(?!/)[!"$-~]*+'
# "++" and "*+" give nothing back, so that no head takes longer than its length.
_HEAD = re.compile(
    rf"(DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) ({_TARGET}) HTTP/1\.1\r\n"
    rf"({_NAME}:{_VALUE}(?:\r\n{_NAME}:{_VALUE})*+)"
)
# No sign, no leading zero, no list: nothing that a proxy could read as another number.
_LENGTH = re.compile(r"0|[1-9][0-9]{0,17}")
_NEVER_PLAIN = frozenset({"EXPECT", "TRAILER", "TRANSFER-ENCODING", "UPGRADE"})
_HOSTS_REMEMBERED = 1024

MAX_DRAINED_BYTES = 64 * 1024
"""What is read of a body that nothing wanted, so that its connection can be kept. A longer one ends
its connection: reading it would cost more than a new connection does."""

MAX_DRAINED_CHUNKED_BYTES = 8 * 1024
"""The same in chunks, which may be of one byte and then cost a thousand times as much."""

MAX_DRAIN_S = 2.0

MAX_HEAD_S = 5.0
"""How long the rest of a head may take after its first byte."""

_REQUESTS_PER_TURN = 32


class SlowHeadError(ParseException):
    """A head that began did not end in time."""

    def __str__(self) -> str:
        return "the head took too long"


class PlainParser(RequestParser):
    """The requests of a connection, one after the other."""

    @staticmethod
    def mesg_class(cfg: Any, unreader: Any, peer_addr: Any, req_number: int = 1) -> Request:
        """Read the next one: quickly if it is plain, or else as gunicorn does."""
        if _is_pipelined(unreader, req_number):
            give_way()
        data = unreader.read()
        request = PlainRequest(cfg, unreader, peer_addr, req_number)
        if request.take(data):
            return request
        unreader.unread(data)
        # An idle connection costs little, a head that has begun keeps a place of those who wait.
        with gevent.Timeout(MAX_HEAD_S, SlowHeadError()):
            return Request(cfg, unreader, peer_addr, req_number)

    def finish_body(self, *limits: Any, **named: Any) -> bool:
        """Leave nothing of a body on the connection; one that has come whole left nothing."""
        body = self.mesg.body if self.mesg else None
        if isinstance(body, BytesIO):
            return True
        if not limits and not named:
            most = MAX_DRAINED_BYTES
            if isinstance(getattr(body, "reader", None), ChunkedReader):
                most = MAX_DRAINED_CHUNKED_BYTES
            named = {"deadline": time.monotonic() + MAX_DRAIN_S, "max_bytes": most}
        finished: bool = super().finish_body(*limits, **named)
        if not finished:
            linger(self.unreader.sock)
        return finished


def _is_pipelined(unreader: Any, req_number: int) -> bool:
    """Say whether a request may have come without waiting for the answer before it.

    What is buffered certainly has. What the kernel holds cannot be seen, so a long-lived connection
    gives way now and then without that too.
    """
    buffered: bool = unreader.buf.tell() > 0
    return req_number > 1 and (buffered or req_number % _REQUESTS_PER_TURN == 0)


class PlainRequest(Request):
    """A plain request, which answers every question as gunicorn's own would."""

    path: str
    query: str
    fragment = ""
    version = (1, 1)
    must_close = False
    proxy_protocol_info = None

    def __init__(self, cfg: Any, unreader: Any, peer_addr: Any, req_number: int) -> None:
        # Not gunicorn's own constructor: that one parses.
        self.cfg = cfg
        self.unreader = unreader
        self.peer_addr = self.remote_addr = peer_addr
        self.req_number = req_number
        self.trailers: list[tuple[str, str]] = []
        self.scheme = "https" if cfg.is_ssl else "http"

    def take(self, data: bytes) -> bool:
        """Become the request that has arrived, unless it is not plain."""
        cfg = self.cfg
        head, ended, body = data.partition(b"\r\n\r\n")
        # No line is too long if all of them together are not.
        longest = min(cfg.limit_request_line, cfg.limit_request_field_size, MAX_REQUEST_LINE)
        if not ended or len(head) > longest or cfg.proxy_protocol != "off":
            return False
        plain = _HEAD.fullmatch(head.decode("latin-1"))
        if plain is None:
            return False
        self.method, self.uri, lines = plain.groups()
        self.path, _, self.query = self.uri.partition("?")
        headers: list[tuple[str, str]] = []
        for line in lines.split("\r\n"):
            name, _, value = line.partition(":")
            headers.append((name.upper(), value.strip(" \t")))
        self.headers = headers
        fields = dict(headers)
        return (
            len(fields) == len(headers)  # none of them came twice
            and len(fields) <= cfg.limit_request_fields
            and _NEVER_PLAIN.isdisjoint(fields)
            and fields.get("CONNECTION", "keep-alive").lower() == "keep-alive"
            and self._take_scheme(fields)
            and self._take_body(fields.get("CONTENT-LENGTH", "0"), body)
        )

    def should_close(self) -> bool:
        """Say whether the connection ends here; gunicorn asks three times."""
        return self.must_close

    def _take_scheme(self, fields: dict[str, str]) -> bool:
        if fields.keys().isdisjoint(self.cfg.secure_scheme_headers):
            return True
        told = [name for name in self.cfg.secure_scheme_headers if name in fields]
        for name in told:
            believed, forwarders = self._peer_trusted_for_forwarded()
            self._apply_header_policy(name, fields[name], [False], set(), believed, forwarders)
        # Two may contradict each other.
        return len(told) < 2

    def _take_body(self, declared: str, arrived: bytes) -> bool:
        if not _LENGTH.fullmatch(declared):
            return False
        length = int(declared)
        if length == len(arrived):
            self.body = BytesIO(arrived)
        elif length > len(arrived):
            # Many clients send it by itself, after the head.
            self.unreader.unread(arrived)
            self.body = Body(LengthReader(self.unreader, length))
        # What stands behind a body is the next request, or is meant to be taken for one.
        return length >= len(arrived)

    def _peer_is_trusted_proxy(self) -> bool:
        if not isinstance(self.peer_addr, tuple):
            return True  # gunicorn trusts a program that may use its Unix socket
        return _is_trusted(self.cfg, self.peer_addr[0])


@functools.lru_cache(maxsize=_HOSTS_REMEMBERED)
def _is_trusted(cfg: Any, host: str) -> bool:
    networks = cfg.forwarded_allow_networks()
    trusted: bool = _ip_in_allow_list(host, cfg.forwarded_allow_ips, networks)
    return trusted
