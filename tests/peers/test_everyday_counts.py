"""What LiteLLM's own counter makes of everyday requests is what the tables of holds are against."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.peers.conftest import LITELLM
from tests.unit.wires.everyday import Everyday, everyday

_COUNT = Path(__file__).with_name("count_everyday.py")


def test_litellm_counts_everyday_requests_as_recorded() -> None:
    requests = list(everyday())
    asked = [as_chat(request) for request in requests]

    counted = subprocess.run(
        [Path(LITELLM).with_name("python"), str(_COUNT)],
        input=json.dumps(asked),
        env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert list(map(int, counted.stdout.split())) == [each.counted for each in requests]


def as_chat(request: Everyday) -> dict[str, Any]:
    """Return a request of any protocol as the chat protocol would write it."""
    fields, tools = request.fields, request.fields.get("tools")
    if request.wire == "chat":
        return {"messages": fields["messages"], "tools": tools}
    if request.wire == "messages":
        system = {"role": "system", "content": fields["system"]}
        described = [{**tool, "parameters": tool["input_schema"]} for tool in fields["tools"]]
        return {"messages": [system, *fields["messages"]], "tools": as_functions(described)}
    said = [{"role": "system", "content": fields.get("instructions", "")}]
    said += [
        {"role": item["role"], "content": texts_of(item["content"])} for item in fields["input"]
    ]
    return {"messages": said, "tools": as_functions(fields["tools"])}


def as_functions(tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "type": "function",
            "function": {name: tool[name] for name in ("name", "description", "parameters")},
        }
        for tool in tools
    ]


def texts_of(content: Any) -> Any:
    if isinstance(content, str):
        return content
    return [{"type": "text", "text": part["text"]} for part in content]
