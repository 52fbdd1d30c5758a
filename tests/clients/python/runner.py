"""Runs what a client can do, each with a key and a prompt of its own; writes down how it went."""

import asyncio
import base64
import inspect
import json
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

BASE_URL = os.environ["BASE_URL"]
URL = f"{BASE_URL}/v1"
MODEL = "gpt-4o"
CLAUDE = "claude-sonnet-4-5"
EMBEDDING = "demo-embedding"
PAINTER = "dall-e-3"
SPEAKER = "tts-1"
PICTURE = base64.b64decode(os.environ["PICTURE"])
DOCUMENT = base64.b64decode(os.environ["DOCUMENT"])
PICTURE_64, DOCUMENT_64 = os.environ["PICTURE"], os.environ["DOCUMENT"]

REFUSED = {"out_of_credits": 402, "revoked": 401, "upstream_429": 429, "upstream_500": 502}
"""Plain calls that fail, and the status that the client is to tell."""


@dataclass(frozen=True)
class Call:
    """With which key to ask, and what."""

    key: str
    prompt: str


class Place(BaseModel):
    """A place on the map, as structured output."""

    city: str


def weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: Where.
    """
    return f"sunny in {city}"


TOOL = {
    "name": "weather",
    "description": "Tell the weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def is_enough(text: str) -> bool:
    """Whether so much of a stream was read that it is given up."""
    return "token 4" in text


def run(**cases: Callable[[Call], object]) -> None:
    """Run the cases that the environment asks for; what each returns is reported."""
    with Path(os.environ["REPORT"]).open("a") as report:
        for name, given in json.loads(os.environ["CASES"]).items():
            call = Call(**given)
            print(json.dumps({"case": name, **_tried(cases, name, call)}), file=report, flush=True)


def _tried(cases: dict[str, Callable[[Call], object]], name: str, call: Call) -> dict[str, object]:
    try:
        if name not in REFUSED:
            return {"said": _done(cases[name](call))}
        with refused(REFUSED[name]):
            _done(cases["plain"](call))
    except Exception:  # noqa: BLE001 - whatever it is, it is reported
        return {"failed": traceback.format_exc()}
    return {"said": None}


def _done(said: object) -> object:
    return asyncio.run(said) if inspect.iscoroutine(said) else said


@contextmanager
def refused(status: int) -> Iterator[None]:
    """Expect a refusal with this status, in whatever a client wraps it."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and getattr(cause, "status_code", None) != status:
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
    else:
        raise AssertionError("it was served")
