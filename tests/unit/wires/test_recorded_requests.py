"""Each recorded request of a real client has its verdict: served, elsewhere, refused by name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from adapters.wires.anthropic.messages import Messages
from adapters.wires.openai.chat import ChatCompletions
from adapters.wires.openai.completions import Completions
from adapters.wires.openai.embeddings import Embeddings
from adapters.wires.openai.responses import Responses
from creditcore.domain.errors import InvalidRequestError
from creditcore.ports.inference import InferenceRequest, Wire

_FILE = Path(__file__).parents[2] / "data" / "client-requests" / "requests.jsonl"
_PLACEHOLDER = re.compile(r"<(?:text|base64) of ([0-9]+)>")
WIRES: dict[str, Wire] = {
    wire.endpoint: wire
    for wire in (ChatCompletions(), Completions(), Embeddings(), Responses(), Messages())
}
CHAT, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/responses", "/v1/messages"


class Recorded(NamedTuple):
    """A request, and how often it was recorded."""

    times: int
    client: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def is_call(self) -> bool:
        return self.method == "POST" and self.path in WIRES


RECORDED = [Recorded(**orjson.loads(line)) for line in _FILE.read_bytes().splitlines()]
CALLS = [recorded for recorded in RECORDED if recorded.is_call]

# Where something is refused, on which wire, and how many of the recorded requests it is in.
REFUSED = {
    (CHAT, "messages[0].content[0].type"): 1,  # audio
    (CHAT, "service_tier"): 1,  # priority
    (CHAT, "web_search_options"): 1,
    (MESSAGES, "thread"): 4,
    (MESSAGES, "tools[0].type"): 3,  # a search of the provider
    (RESPONSES, "input[1].type"): 12,  # an item that the provider would have stored
    (RESPONSES, "previous_response_id"): 1,
    (RESPONSES, "tools[0].type"): 1,
    (RESPONSES, "tools[8].type"): 1,
}

# What is taken and goes no further, or goes as something of ours.
DROPPED = {
    CHAT: {
        "metadata",
        "n",  # 1, which is what its absence means
        "prediction",
        "safety_identifier",
        "service_tier",  # auto
        "store",
        "stream_options",
        "user",
    },
    "/v1/completions": {"n", "stream_options", "user"},
    "/v1/embeddings": {"user"},
    RESPONSES: {
        "background",
        "client_metadata",
        "max_tool_calls",
        "metadata",
        "safety_identifier",
        "service_tier",
        "user",
    },
    MESSAGES: {"metadata"},
}

# What it allows in the body is refused there: conversations stored at the provider.
_REFUSED_BETAS = {"message-threads-2026-08-12"}


def filled(value: Any) -> Any:
    """Return a recorded value with texts of the length that they had."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda found: "A" * int(found[1]), value)
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    return value


def parsed(recorded: Recorded) -> InferenceRequest:
    wire = WIRES[recorded.path].hearing(recorded.headers.get)
    return wire.parse(orjson.dumps(filled(recorded.body)))


def refusals() -> Iterator[tuple[Recorded, InvalidRequestError]]:
    for recorded in CALLS:
        try:
            parsed(recorded)
        except InvalidRequestError as error:
            yield recorded, error


def test_all_of_them_are_here() -> None:
    assert sum(recorded.times for recorded in RECORDED) == 505
    assert sum(recorded.times for recorded in CALLS) == 505 - 16


def test_what_is_refused_is_refused_by_its_place_and_nothing_else_is() -> None:
    found: Counter[tuple[str, str | None]] = Counter()

    for recorded, error in refusals():
        found[recorded.path, error.param] += recorded.times

    assert found == REFUSED
    assert found.total() == 25


def test_a_refusal_names_what_it_refuses() -> None:
    for recorded, error in refusals():
        assert error.param is not None
        field = re.split(r"[.\[]", error.param)[0]
        assert field in recorded.body
        assert field in str(error) or "type" in str(error)


@pytest.mark.parametrize("path", WIRES)
def test_every_field_of_a_served_request_goes_upstream_or_is_dropped_on_purpose(path: str) -> None:
    lost = set()

    for recorded in CALLS:
        if recorded.path != path:
            continue
        try:
            request = parsed(recorded)
        except InvalidRequestError:
            continue
        sent = orjson.loads(WIRES[path].upstream_body(request, output_bound=None))
        given = {name for name, value in recorded.body.items() if value is not None}
        lost |= given - set(sent)

    assert lost <= DROPPED[path]


def test_the_betas_of_the_recorded_clients_are_known() -> None:
    dropped = set()

    for recorded in RECORDED:
        wanted = recorded.headers.get("anthropic-beta")
        if wanted is None or recorded.path != MESSAGES:
            continue
        kept = WIRES[MESSAGES].hearing(recorded.headers.get).upstream_headers
        dropped |= set(wanted.split(",")) - set(kept.get("anthropic-beta", "").split(","))

    assert {beta for beta in dropped if not _PLACEHOLDER.match(beta)} == _REFUSED_BETAS
