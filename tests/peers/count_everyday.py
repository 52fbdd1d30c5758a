"""Run by LiteLLM's own Python: print what its counter makes of requests, one number a line.

The requests come as JSON, each with ``messages`` and, if it has any, ``tools`` as OpenAI's chat
protocol writes them.
"""

from __future__ import annotations

import json
import sys

from litellm import token_counter

for asked in json.load(sys.stdin):
    print(token_counter(model="gpt-4o", messages=asked["messages"], tools=asked["tools"]))  # noqa: T201 - read by who runs it
