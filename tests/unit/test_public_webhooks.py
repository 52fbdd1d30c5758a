"""Messages to addresses that people chose: signed, and never into the operator's own network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from adapters.webhooks import PublicWebhooks
from adapters.webhooks.public import _is_public
from adapters.webhooks.sender import signed_headers
from creditcore.domain.errors import InvalidRequestError, WebhookUndeliveredError
from creditcore.testing.memory import FixedClock

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0"
CLOCK = FixedClock()


class Receiver(HTTPServer):
    """A program that is told, and answers as it is asked to."""

    status = 204

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, str], bytes]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.told.append((self.path, headers, body))
        self.send_response(self.server.status)
        self.send_header("location", "http://127.0.0.1:9/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_a_message_arrives_signed(receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.server_port}/hook?a=b"

    PublicWebhooks(clock=CLOCK, anywhere=True).send(url, SECRET, "m-1", {"type": "x"})

    [(path, headers, body)] = receiver.told
    assert (path, body) == ("/hook?a=b", b'{"type":"x"}')
    expected = signed_headers(SECRET, "m-1", body, at=CLOCK.now())
    assert {name: headers[name] for name in expected} == expected
    assert headers["host"] == f"127.0.0.1:{receiver.server_port}"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_not_taken_is_to_be_sent_again_and_redirects_lead_nowhere(
    receiver: Receiver, status: int
) -> None:
    receiver.status = status

    with pytest.raises(WebhookUndeliveredError, match=str(status)):
        PublicWebhooks(clock=CLOCK, anywhere=True).send(
            f"http://127.0.0.1:{receiver.server_port}/", SECRET, "m-1", {}
        )
    assert len(receiver.told) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.0.0.7", "169.254.169.254"])
def test_nothing_is_sent_into_the_operators_network(host: str) -> None:
    with pytest.raises(WebhookUndeliveredError, match="public internet"):
        PublicWebhooks(clock=CLOCK).send(f"https://{host}/", SECRET, "m-1", {})


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("fe80::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_which_addresses_are_public(address: str, *, is_public: bool) -> None:
    assert _is_public(address) is is_public


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https:///path",
        "https://user:pw@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:x/",
        "https://example.com/a b",
        "https://example.com/\r\nx: y",
        "https://[::1/",
        f"https://example.com/{'x' * 500}",
    ],
)
def test_what_is_no_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(InvalidRequestError) as refusal:
        PublicWebhooks(clock=CLOCK).check(url)

    assert refusal.value.param == "stop_webhook"


def test_a_receiver_that_is_away_is_asked_again() -> None:
    with pytest.raises(WebhookUndeliveredError, match="cannot be reached"):
        PublicWebhooks(clock=CLOCK, anywhere=True).send("http://127.0.0.1:9/", SECRET, "m", {})
