"""The calls that tests of the LiteLLM stand-in make."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import requests

from sandbox.process import SandboxProcess
from tests.stack import PATIENCE_S, wait_until

KEY = "sk-sandbox-master"


class Client:
    """The calls that the tests make."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.http = requests.Session()
        self.http.headers["authorization"] = f"Bearer {KEY}"
        self.base, self.control_base = sandbox.litellm_url, f"{sandbox.base_url}/control"

    def chat(
        self, prompt: object = "hello", *, stream: bool = False, **fields: Any
    ) -> requests.Response:
        body = {
            "model": "demo-chat",
            "messages": [{"role": "user", "content": prompt}],
            "stream": stream,
        } | fields
        return self.http.post(
            f"{self.base}/v1/chat/completions", json=body, stream=stream, timeout=PATIENCE_S
        )

    def events(self, prompt: object = "hello", **fields: Any) -> list[Any]:
        """Return the data of all events of a stream; ``[DONE]`` stays text."""
        fields = {"stream_options": {"include_usage": True}} | fields
        with self.chat(prompt, stream=True, **fields) as answer:
            lines = [
                line for line in answer.content.decode().splitlines() if line.startswith("data: ")
            ]
        return [line[6:] if line == "data: [DONE]" else json.loads(line[6:]) for line in lines]

    def calls(self, **query: Any) -> dict[str, Any]:
        answer = self.http.get(
            f"{self.control_base}/litellm/calls", params=query, timeout=PATIENCE_S
        )
        calls: dict[str, Any] = answer.json()
        return calls

    def control(self, path: str, **order: Any) -> requests.Response:
        return self.http.post(f"{self.control_base}{path}", json=order, timeout=PATIENCE_S)

    def last_call(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the latest call once there is one, and it is as it should be."""

        def found() -> dict[str, Any] | None:
            calls: list[dict[str, Any]] = self.calls(limit=1)["calls"]
            return calls[0] if calls and condition(calls[0]) else None

        call = wait_until(found)
        assert call
        return call


def text_of(events: list[Any]) -> str:
    return "".join(
        choice["delta"].get("content") or ""
        for event in events
        if isinstance(event, dict)
        for choice in event.get("choices", [])
    )
