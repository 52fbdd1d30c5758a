"""The client in ``contrib/python`` is what its generator makes of today's document."""

from __future__ import annotations

import io
from email.message import Message
from urllib.error import HTTPError

import pytest
from creditcore_client import ApiError, Client, _transport

from adapters.flask_web import app  # noqa: F401 - declares the operations
from adapters.flask_web.api.openapi import described
from contrib.python.generate import TARGET, generated


def test_the_client_is_that_of_the_document() -> None:
    assert TARGET.read_text() == generated(described()), "run contrib/python/generate.py"


def test_every_operation_has_a_method() -> None:
    operations = [each for path in described()["paths"].values() for each in path.values()]
    methods = [name for name in vars(Client) if not name.startswith("_")]

    assert len(methods) == len(operations)


def test_only_http_is_spoken() -> None:
    with pytest.raises(ValueError, match="http"):
        Client("file:///etc", "sk-cc-x")


def test_what_is_no_error_of_ours_is_told_by_its_status() -> None:
    headers = Message()
    headers["retry-after"] = "7"
    answer = HTTPError("http://x", 502, "", headers, io.BytesIO(b"<html>"))

    error = _transport._error_of(answer)

    assert isinstance(error, ApiError)
    assert (error.status, str(error), error.code, error.retry_after_s) == (
        502,
        "Bad Gateway",
        None,
        7,
    )
