"""Waiting until a server serves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from http.client import HTTPException
from subprocess import Popen
from urllib.error import URLError
from urllib.request import Request, urlopen

from bench.installs import MissingError

_START_TIMEOUT_S = 120.0


def wait_for_http(
    url: str,
    child: Popen[bytes] | None,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Ask until the answer is 200.

    Args:
        url: What is asked.
        child: The server; if it ends, waiting ends.
        body: What is posted, if anything.
        headers: Sent along.

    Raises:
        MissingError: The server ended, or never answered so.
    """
    deadline = time.monotonic() + _START_TIMEOUT_S
    sent = {"content-type": "application/json", **(headers or {})}
    said = "nothing"
    while time.monotonic() < deadline and (child is None or child.poll() is None):
        try:
            with urlopen(Request(url, body, sent), timeout=10) as answer:  # noqa: S310 - our own
                if answer.status == 200:
                    return
        except (URLError, HTTPException, OSError) as error:
            said = str(error)
        time.sleep(0.1)
    raise MissingError(f"it did not come up; last heard: {said}")
