"""No request keeps the others waiting: what is expensive is refused, or done in turns.

The process notices by itself when its event loop stands still, by processor time, so that a busy
machine changes nothing here.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.faults.wire import chat_body, raw_connection, request_bytes
from tests.stack import PATIENCE_S, REPOSITORY, Account, Stack, running_stack

pytestmark = pytest.mark.usefixtures("unstalled")

_STALL = re.compile(r"stood still for (\d+) ms; the latest request was (.*)")


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the gateway says while it is attacked."""
    return tmp_path_factory.mktemp("stalls") / "log"


@pytest.fixture(scope="module")
def attacked(log: Path) -> Iterator[Stack]:
    """A gateway of one process, reached directly."""
    with running_stack("", log.parent, log=log) as stack:
        # The first page compiles its templates.
        requests.get(stack.base_url, timeout=PATIENCE_S).raise_for_status()
        yield stack


@pytest.fixture(scope="module")
def victim(attacked: Stack) -> Account:
    """An account with credits."""
    return attacked.an_account()


def stalls(log: Path) -> list[str]:
    return [match[0] for match in _STALL.finditer(log.read_text())]


@pytest.fixture
def unstalled(attacked: Stack, log: Path) -> Iterator[None]:
    """Nothing may have waited while the test ran."""
    before = stalls(log)
    yield
    # What held the loop has ended when it answers this.
    assert requests.get(f"{attacked.base_url}/healthz", timeout=PATIENCE_S).ok
    assert stalls(log) == before


def send(stack: Stack, data: bytes, *, times: int = 1) -> bytes:
    """Send bytes as fast as they are taken; return what was answered until the end."""
    answer = b""
    with raw_connection(stack.base_url) as sock, ThreadPoolExecutor(1) as writing:

        def write() -> None:
            try:
                for _ in range(times):
                    sock.sendall(data)
            except OSError:
                return

        written = writing.submit(write)
        try:
            while part := sock.recv(65536):
                answer += part
                if len(answer) > 64 * 1024:
                    answer = answer[:1024]
        except ConnectionError:
            pass
        written.result()
    return answer


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = (f"{method} {path} HTTP/1.1", "Host: localhost", *headers)
    return "\r\n".join((*lines, "", "")).encode()


MEGABYTE = 1024 * 1024
FORM = "Content-Type: application/x-www-form-urlencoded"
ONE_BYTE_CHUNKS = b"1\r\na\r\n" * 170_000


def form(body: bytes, path: str) -> bytes:
    return head(path, FORM, f"Content-Length: {len(body)}", "Connection: close") + body


@pytest.mark.parametrize("path", ["/sign-in", "/api/checkout/start", "/dashboard/keys"])
@pytest.mark.parametrize(
    "body",
    [b"a&" * 499_900, b"%41" * 333_000, b"&".join(b"a%d=1" % n for n in range(90_000))],
    ids=["empty", "escaped", "names"],
)
def test_a_large_form_is_refused_before_it_is_parsed(
    attacked: Stack, path: str, body: bytes
) -> None:
    answer = send(attacked, form(body, path))

    assert answer.startswith(b"HTTP/1.1 413")


def test_sixty_large_forms_at_once_stop_nothing(attacked: Stack) -> None:
    request = form(b"a&" * 499_900, "/sign-in")
    with ThreadPoolExecutor(60) as clients:
        answers = list(clients.map(lambda _: send(attacked, request), range(60)))

    assert all(answer.startswith(b"HTTP/1.1 413") for answer in answers)


def test_many_fields_in_a_short_form_are_refused(attacked: Stack) -> None:
    answer = requests.post(
        f"{attacked.base_url}/sign-in",
        data="&".join(["a=1"] * 51),
        headers={"content-type": "application/x-www-form-urlencoded"},
        timeout=PATIENCE_S,
    )

    assert answer.status_code == 413


def test_a_multipart_form_is_refused(attacked: Stack) -> None:
    answer = requests.post(f"{attacked.base_url}/sign-in", files={"a": b""}, timeout=PATIENCE_S)

    assert answer.status_code == 415
    assert "urlencoded" in answer.text


def test_pipelined_requests_take_turns(attacked: Stack) -> None:
    count = 2_000
    requests_ = head("/", method="HEAD") * (count - 1)

    answer = send(attacked, requests_ + head("/", "Connection: close", method="HEAD"))

    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/v1/nope", "/sign-in", "/v1/chat/completions"])
def test_a_refused_body_is_not_drained_for_long(attacked: Stack, path: str) -> None:
    request = head(path, f"Content-Length: {100 * MEGABYTE}")

    answer = send(attacked, request + bytes(MEGABYTE), times=1)

    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 413", b"HTTP/1.1 401"))


@pytest.mark.parametrize("path", ["/v1/nope", "/healthz", "/sign-in", "/v1/chat/completions"])
def test_chunks_of_one_byte_stop_nothing(attacked: Stack, victim: Account, path: str) -> None:
    request = head(
        path,
        "Transfer-Encoding: chunked",
        "Connection: close",
        f"Authorization: Bearer {victim.api_key}",
        method="GET" if path == "/healthz" else "POST",
    )

    answer = send(attacked, request + ONE_BYTE_CHUNKS + b"0\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 ")


def test_the_process_says_when_it_stood_still() -> None:
    # What the tests above rely on: a loop that is really held is reported.
    program = (
        "import logging, time, gevent\n"
        "from adapters.flask_web.server.stalls import StallDetector\n"
        "logging.basicConfig()\n"
        "gevent.spawn(StallDetector(lambda: 'POST /slow', lambda: None).watch)\n"
        "gevent.sleep(0.05)\n"
        "end = time.thread_time() + 0.6\n"
        "while time.thread_time() < end: pass\n"
        "gevent.sleep(0.3)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )

    assert _STALL.search(done.stderr)
    assert "POST /slow" in done.stderr


def test_the_gateway_still_serves_calls(attacked: Stack, victim: Account) -> None:
    answer = send(
        attacked,
        request_bytes(chat_body("Hi"), key=victim.api_key, headers=("Connection: close",)),
    )

    assert answer.startswith(b"HTTP/1.1 200")
