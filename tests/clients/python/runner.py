"""Runs what a client can do, each with a key and a prompt of its own; writes down how it went.

Its first argument names the client's module, whose functions are the cases, by their names.
"""

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from given import Call

REFUSED = {"out_of_credits": 402, "revoked": 401, "upstream_429": 429, "upstream_500": 502}
"""Plain calls that fail, and the status that the client is to tell."""


def run(client: ModuleType) -> None:
    """Run the cases that the environment asks for; what each returns is reported."""
    with Path(os.environ["REPORT"]).open("a") as report:
        for name, given in json.loads(os.environ["CASES"]).items():
            outcome = _tried(client, name, Call(**given))
            print(json.dumps({"case": name, **outcome}), file=report, flush=True)


def _tried(client: ModuleType, name: str, call: Call) -> dict[str, object]:
    try:
        if name not in REFUSED:
            return {"said": _done(getattr(client, name)(call))}
        with refused(REFUSED[name]):
            _done(client.plain(call))
    except Exception:  # noqa: BLE001 - a client may raise any error, and each is reported
        return {"failed": traceback.format_exc()}
    return {"said": None}


def _done(said: object) -> object:
    return asyncio.run(said) if inspect.iscoroutine(said) else said


@contextmanager
def refused(status: int) -> Iterator[None]:
    """Expect a refusal with this status, which a client may wrap in errors of its own."""
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


if __name__ == "__main__":
    run(importlib.import_module(sys.argv[1]))
