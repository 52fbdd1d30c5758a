"""Each line of the log says which call it is about, and no reader gets in by it."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
from contextvars import copy_context

import pytest

from adapters.flask_web.web.log_lines import (
    CALL_ID,
    json_lines,
    log_config,
    redacted,
    text_lines,
)

SECRETS = [
    "sk-cc-c8LDKNI51sNojXgyrgITgvQNSHJ9u1lj4ATyxz",
    "sk-local-master",
    "sk_live_0123456789abcdef",
    "sb_secret_abcdefgh",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("words", ["refused {}", "Authorization: Bearer {}", "{{'key': '{}'}}"])
def test_a_secret_is_hidden_wherever_it_stands(secret: str, words: str) -> None:
    line = redacted(words.format(secret))

    assert secret not in line
    assert "[hidden]" in line


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("postgresql://house:pa55word@db:5432/books", "pa55word"),
        ("password=hunter22 next", "hunter22"),
        ('{"token": "abc.def"}', "abc.def"),
        ("/auth/confirm?token_hash=deadbeef&type=signup", "deadbeef"),
        ("Cookie: creditcore_session=opaque", "opaque"),
    ],
)
def test_what_a_name_says_is_secret_is_hidden(text: str, hidden: str) -> None:
    assert hidden not in redacted(text)


def test_ordinary_words_stay() -> None:
    text = "call call-1 failed after 3 tokens at http://127.0.0.1:4000/v1: 502"

    assert redacted(text) == text


def a_record(message: str, *, failed: bool = False) -> logging.LogRecord:
    error = ValueError(f"of {SECRETS[0]}")
    info = (ValueError, error, None) if failed else None
    return logging.LogRecord("creditcore.calls", logging.ERROR, "x", 1, message, (), info)


def test_a_line_is_one_json_object_with_the_call() -> None:
    def line_of(call_id: str) -> str:
        CALL_ID.set(call_id)
        return json_lines().format(a_record("it broke\nbadly", failed=True))

    line, of_no_call = (copy_context().run(line_of, call_id) for call_id in ("call-7", ""))

    said = json.loads(line)
    assert "\n" not in line
    assert (said["call_id"], said["level"], said["message"]) == (
        "call-7",
        "error",
        "it broke\nbadly",
    )
    assert "ValueError" in said["exception"]
    assert SECRETS[0] not in line
    assert "call_id" not in json.loads(of_no_call)
    named = {"time", "level", "logger", "process", "call_id", "message", "exception"}
    assert set(said) == named
    assert (said["time"][-1], said["logger"]) == ("Z", "creditcore.calls")


def test_a_line_of_text_names_the_call_before_the_message() -> None:
    def line_of(call_id: str) -> str:
        CALL_ID.set(call_id)
        return text_lines().format(a_record("it broke"))

    line, of_no_call = (copy_context().run(line_of, call_id) for call_id in ("call-7", ""))

    assert line.endswith("[ERROR] [call-7] it broke")
    assert of_no_call.endswith("[ERROR] it broke")


def test_a_line_of_text_hides_what_an_exception_tells() -> None:
    assert SECRETS[0] not in text_lines().format(a_record("it broke", failed=True))


@pytest.mark.parametrize("kind", ["json", "text"])
def test_the_configuration_writes_such_lines(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logging.config.dictConfig(log_config(kind, level="info"))
        logging.getLogger("gunicorn.error").info("with %s", SECRETS[0])
    finally:
        root.handlers, root.level = before

    assert "with [hidden]" in written.getvalue()
    assert written.getvalue().startswith("{") is (kind == "json")
