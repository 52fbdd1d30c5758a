"""What passes the streaming API on its way to the site, and streams that never begin."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.flask_web.inference.body_budget import MAX_BODIES_BYTES, OWNERS
from adapters.flask_web.inference.proxy import Proxy
from adapters.flask_web.web.errors import refusal_of
from adapters.flask_web.web.throttle import Throttle
from creditcore import HoldState, Wallet
from creditcore.domain.errors import KeyRefusedError, UpstreamFailedError
from creditcore.domain.keys import ApiKey, KeySecret
from creditcore.testing.contracts import a_key
from tests.unit.relaying import END, SECRET, TEXT, USAGE, Scene, TinyWire

ACCOUNT = "wallet-1"


class NeverRead:
    """Servers may hand over the connection itself, on which nothing more will come."""

    def read(self, _size: int) -> bytes:
        raise AssertionError("it would be waited for")


_UNNOTED = SimpleNamespace(note=lambda _secret, **_facts: None)


def test_a_request_without_a_body_is_not_waited_for() -> None:
    settings: Any = SimpleNamespace(base_url="", tariff=None, usage_markup="1")
    services: Any = SimpleNamespace(wires={}, token_counters={})
    proxy = Proxy(
        services, settings, throttle=Throttle(""), site=lambda _environ, _start: [b"the site"]
    )

    for path in ("/", "/sign-in"):
        environ: Any = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "wsgi.input": NeverRead()}
        assert proxy(environ, lambda *_: None) == [b"the site"]  # type: ignore[arg-type, return-value]


def test_a_stream_that_the_server_does_not_take_is_settled_and_leaves_its_place(
    scene: Scene,
) -> None:
    settings: Any = SimpleNamespace(base_url="", tariff=None, usage_markup="1")
    services: Any = SimpleNamespace(
        calls=SimpleNamespace(relay=scene.relay, refusals=_UNNOTED),
        wires={TinyWire.endpoint: TinyWire()},
        forms={},
        token_counters={},
    )
    proxy = Proxy(services, settings, throttle=Throttle(""), site=lambda _environ, _start: [])
    statuses = []

    def refuse_streams(status: str, *_: object) -> None:
        statuses.append(status)
        if status == "200 OK":
            raise RuntimeError("the headers are out already")

    def ask() -> None:
        environ: Any = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": TinyWire.endpoint,
            "HTTP_AUTHORIZATION": f"Bearer {SECRET.text}",
            "CONTENT_LENGTH": "2",
            "wsgi.input": BytesIO(b"{}"),
        }
        proxy(environ, refuse_streams)  # type: ignore[arg-type]

    scene.script(TEXT, USAGE, END, TEXT, USAGE, END)
    ask()
    ask()

    # Without a free place the second would be refused in another way.
    assert statuses == ["200 OK", "500 Internal Server Error"] * 2
    assert scene.hold.state is HoldState.SETTLED


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"data:application/pdf;base64,JVBERi0x", "401 Unauthorized"),
        (b"data:application/pdf;base64,\\u004aVBERi0x", "401 Unauthorized"),
        (b"data:application/pdf;base64,J\\u0056BERi0x", "401 Unauthorized"),
        (b"caf\\u00e9", "404 Not Found"),
    ],
)
def test_a_paper_is_read_for_known_keys_alone(scene: Scene, content: bytes, status: str) -> None:
    def recognise(_secret: KeySecret) -> ApiKey:
        raise KeyRefusedError("unknown")

    settings: Any = SimpleNamespace(base_url="", tariff=None, usage_markup="1")
    services: Any = SimpleNamespace(
        calls=SimpleNamespace(relay=scene.relay, refusals=_UNNOTED),
        keys=SimpleNamespace(recognition=SimpleNamespace(recognise=recognise)),
        wires={TinyWire.endpoint: TinyWire()},
        forms={},
        token_counters={},
    )
    proxy = Proxy(services, settings, throttle=Throttle(""), site=lambda _environ, _start: [])
    body = b'{"model":"nothing","content":"%b"}' % content
    statuses: list[str] = []
    environ: Any = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": TinyWire.endpoint,
        "HTTP_AUTHORIZATION": f"Bearer {SECRET.text}",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": BytesIO(body),
    }

    proxy(environ, lambda status, _headers: statuses.append(status))  # type: ignore[arg-type, func-returns-value, return-value]

    # What it asks for is not looked at before.
    assert statuses == [status]


@pytest.mark.parametrize(
    ("owner", "held"),
    [(None, MAX_BODIES_BYTES), (ACCOUNT, MAX_BODIES_BYTES // OWNERS)],
    ids=["of all", "of its account"],
)
def test_large_calls_beyond_the_budget_are_refused_with_nothing_held(
    scene: Scene, owner: str | None, held: int
) -> None:
    settings: Any = SimpleNamespace(base_url="", tariff=None, usage_markup="1")
    services: Any = SimpleNamespace(
        calls=SimpleNamespace(
            relay=scene.relay,
            refusals=_UNNOTED,
        ),
        keys=SimpleNamespace(
            recognition=SimpleNamespace(
                recognise=lambda _secret: a_key(Wallet(id=ACCOUNT, owner_id="a"))
            )
        ),
        wires={TinyWire.endpoint: TinyWire()},
        forms={},
        token_counters={},
    )
    proxy = Proxy(services, settings, throttle=Throttle(""), site=lambda _environ, _start: [])
    answers: list[tuple[str, dict[str, str]]] = []
    environ: Any = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": TinyWire.endpoint,
        "HTTP_AUTHORIZATION": f"Bearer {SECRET.text}",
        "CONTENT_LENGTH": "100000",
        "wsgi.input": BytesIO(b" " * 100_000),
    }

    with proxy.budget.share(owner) as others:
        others.take(held)
        proxy(environ, lambda status, headers: answers.append((status, dict(headers))))  # type: ignore[arg-type, func-returns-value, return-value]

    [(status, headers)] = answers
    assert status == "503 Service Unavailable"
    assert headers["retry-after"] == "1"


@pytest.mark.parametrize("status", [503, 529])
def test_an_overloaded_model_says_when_to_come_again(status: int) -> None:
    error = UpstreamFailedError("Busy.", status=status, code="overloaded", retry_after_s=7)

    answer = refusal_of(error, base_url="")

    assert (answer.status, answer.code, answer.headers) == (
        status,
        "overloaded",
        (("retry-after", "7"),),
    )
