"""Of any bytes gunicorn's own parser would have said the same."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.integration.plain_request.parsing import (
    CONFIGS,
    LOCAL,
    PLAIN_LINES,
    PLAIN_METHODS,
    PLAIN_TARGETS,
    STRANGER,
    UNIX,
    environments,
    is_plain,
    raw,
    same_as_gunicorn,
)

TRICKY_LINES = [
    "Host: gateway",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: +5",
    "Content-Length: 05",
    "Content-Length: 5, 5",
    "Content-Length: 0x5",
    "Content-Length: 5_0",
    "Content-Length: \xb2",
    "Content-Length: -1",
    "Content-Length:",
    "content-length : 5",
    "Content_Length: 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\x0bchunked",
    "Transfer_Encoding: chunked",
    "Connection: close",
    "Connection: close, x",
    "Expect: 100-continue",
    "Expect: much",
    "Upgrade: h2c",
    "Trailer: x",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Ssl: on",
    "content-type: text/plain",
    "X_User: 1",
    "SCRIPT_NAME: /v1",
    "X-Nul: \x00",
    "X-Bell: \x07",
    "X-Delete: \x7f",
    "X-Next-Line: \x85",
    " folded",
    "\tfolded",
    "no colon",
    ": no name",
    "Na me: x",
    "N\xe4me: x",
    "(x): 1",
    "",
]
TRICKY_TARGETS = [
    "/a#b",
    "/a?b#c",
    "/#",
    "//host/a",
    "/a\x00b",
    "/\xe9",
    "/a b",
    "http://host/a?b",
    "host:443",
    "*",
    "",
]
TRICKY_METHODS = ["CONNECT", "PRI", "post", "M-SEARCH", "P\xd6ST", ""]
TRICKY_VERSIONS = ["HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTP/11", "http/1.1", "HTTP/1.1 ", ""]
NASTY = [bytes([byte]) for byte in b"\r\n \t\0\x0b\x0c\x1f\x7f\x80\x85\xff:,;+-_#?/0159AZaz"]


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A plain request with a few flaws, or none."""
    method, target = draw(st.sampled_from(PLAIN_METHODS)), draw(st.sampled_from(PLAIN_TARGETS))
    version, end = "HTTP/1.1", "\r\n"
    body = draw(st.sampled_from([b"", b"Hi", b"0\r\n\r\n", raw()]))
    lines = draw(st.lists(st.sampled_from(PLAIN_LINES), max_size=4, unique=True))
    if body or draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    flaws = draw(st.lists(st.sampled_from(["line", "start", "end", "byte", "byte"]), max_size=2))
    if "line" in flaws:
        lines.insert(draw(st.integers(0, len(lines))), draw(st.sampled_from(TRICKY_LINES)))
    if "start" in flaws:
        method = draw(st.sampled_from([method, *TRICKY_METHODS]))
        target = draw(st.sampled_from([target, *TRICKY_TARGETS]))
        version = draw(st.sampled_from([version, *TRICKY_VERSIONS]))
    if "end" in flaws:
        end = draw(st.sampled_from(["\n", "\r", "\r\r\n"]))
    head = end.join([f"{method} {target} {version}", "Host: gateway", *lines, "", ""])
    message = bytearray(head.encode("latin-1") + body)
    for _ in range(flaws.count("byte")):
        at = draw(st.integers(0, len(message)))
        message[at : at + draw(st.integers(0, 2))] = draw(st.sampled_from([*NASTY, b""]))
    return bytes(message)


@given(
    st.lists(messages(), min_size=1, max_size=2),
    st.lists(st.integers(0, 300), max_size=1),
    st.sampled_from(CONFIGS),
    st.sampled_from([LOCAL, STRANGER, UNIX]),
    st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_any_bytes_mean_what_they_mean_to_gunicorn(
    sent: list[bytes], cuts: list[int], cfg: Any, peer: Any, read: bool
) -> None:
    data = b"".join(sent)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges) if start < end]

    same_as_gunicorn(pieces, cfg, peer, read=read)


@given(messages(), st.sampled_from([LOCAL, STRANGER]))
@settings(max_examples=300, deadline=None)
def test_what_is_plain_gets_the_environment_that_gunicorn_makes(data: bytes, peer: Any) -> None:
    assume(is_plain(data, peer=peer))

    ours, theirs = environments(data, peer)

    assert ours == theirs
