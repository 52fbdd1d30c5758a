"""LiteLLM's desk over real sockets, against a server that says what a test tells it to."""

import threading

import pytest

from adapters.litellm.admin import AdminClient
from adapters.litellm.gateway import LiteLLMGateway
from creditcore.domain.errors import UpstreamUnavailableError
from tests.integration.upstream import WAIT_S, Script, Server, an_answer

PRICES = (
    b'{"data": [{"model_name": "m", "model_info":'
    b' {"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6}}]}'
)
HEAD = b"HTTP/1.1 200 OK\r\n"


def a_gateway(server: Server, *, answer_timeout_s: float = WAIT_S) -> LiteLLMGateway:
    return LiteLLMGateway(
        AdminClient(
            base_url=f"http://127.0.0.1:{server.port}",
            master_key="sk-master",
            connect_timeout_s=WAIT_S,
            answer_timeout_s=answer_timeout_s,
        )
    )


def test_the_list_is_fetched(server: Server) -> None:
    script = Script(lambda: server.accept().answer(an_answer(PRICES))).start()

    [price] = a_gateway(server).fetch_catalogue().prices

    assert price.model == "m"
    request = script.outcome()
    assert isinstance(request, bytes)
    assert request.startswith(b"GET /model/info HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("said", "drop"),
    [
        (HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (HEAD + b"content-length: 1000000\r\n\r\n", b" "),
        # What ends with its connection would look whole: a list and then spaces.
        (HEAD + b"connection: close\r\n\r\n" + PRICES, b" "),
    ],
    ids=["chunks", "body", "body without a length"],
)
def test_an_answer_in_drops_is_given_up_as_a_whole(
    server: Server, said: bytes, drop: bytes
) -> None:
    pace = threading.Event()

    def hung_up_on() -> bool:
        peer = server.accept()
        peer.read_request()
        try:
            peer.send(said)
            # Never silent for as long as the whole answer may take.
            for _ in range(1000):
                peer.send(drop)
                pace.wait(0.01)
        except OSError:
            return True
        return False

    script = Script(hung_up_on).start()

    with pytest.raises(UpstreamUnavailableError):
        a_gateway(server, answer_timeout_s=0.2).fetch_catalogue()
    assert script.outcome() is True
