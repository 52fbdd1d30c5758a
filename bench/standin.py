"""The model server's stand-in: nginx answers plain calls, Node speaks streams."""

from __future__ import annotations

import json
from dataclasses import dataclass
from subprocess import Popen
from typing import Any

from bench.children import Children
from bench.installs import Installs
from bench.nginx import start_answering
from bench.place import HOST, WIRE, Place, free_port
from bench.waiting import wait_for_http

CHAT, PACED, INSTANT, IDLE = "bench-chat", "bench-paced", "bench-instant", "bench-idle"
MODELS = (CHAT, PACED, INSTANT, IDLE)
TOKENS_PER_SECOND = 50
_PRICE = {
    "mode": "chat",
    "litellm_provider": "openai",
    "max_tokens": 16384,
    "max_input_tokens": 128000,
    "max_output_tokens": 16384,
    "input_cost_per_token": 1e-06,
    "output_cost_per_token": 4e-06,
}
_ANSWER = {
    "id": "chatcmpl-bench",
    "object": "chat.completion",
    "created": 1700000000,
    "model": CHAT,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Jambo! How can I help you today?"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21},
}


@dataclass(frozen=True, slots=True)
class StandIn:
    """An upstream that is never the bottleneck.

    Attributes:
        url: Its root, without ``/v1``.
        process: Its first process.
    """

    url: str
    process: Popen[bytes]

    @property
    def pid(self) -> int:
        """The number of its first process."""
        return self.process.pid


def request_body(model: str = CHAT, *, tokens: int | None = None) -> dict[str, Any]:
    """Return what every target is asked: a stream of so many tokens, else a plain call."""
    text = "Say hello from Nairobi, and ask how you can help."
    body: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": text}]}
    if tokens is None:
        return {**body, "max_tokens": 64}
    return {**body, "max_tokens": tokens, "stream": True}


def start_plain(children: Children, installs: Installs, place: Place) -> StandIn:
    """Start the stand-in of plain calls.

    Raises:
        MissingError: nginx cannot be had.
    """
    answers = {"/v1/chat/completions": json.dumps(_ANSWER), "/model/info": _model_info()}
    url, child = start_answering(children, installs.nginx(), place, answers)
    wait_for_http(f"{url}/model/info", child)
    return StandIn(url, child)


def start_streams(children: Children, installs: Installs, place: Place) -> StandIn:
    """Start the stand-in of streams.

    Raises:
        MissingError: Node cannot be had.
    """
    answer, info = place.run / "chat.json", place.run / "model_info.json"
    answer.write_text(json.dumps(_ANSWER))
    info.write_text(_model_info())
    port = free_port()
    child = children.start(
        "standin-node", [installs.node(), WIRE / "standin.mjs", str(port), answer, info]
    )
    url = f"http://{HOST}:{port}"
    wait_for_http(f"{url}/model/info", child)
    return StandIn(url, child)


def _model_info() -> str:
    rows = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}"}, "model_info": _PRICE}
        for name in MODELS
    ]
    return json.dumps({"data": rows})
