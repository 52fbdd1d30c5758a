"""What is written down: as text or as one JSON object a line, with the call's id, without secrets.

Nothing here is meant to log a secret; what a library puts into the text of an exception is out of
our hands, so every line goes through the same sieve.
"""

from __future__ import annotations

import logging
import re
from contextvars import ContextVar
from typing import Any

from structlog.processors import (
    EventRenamer,
    JSONRenderer,
    StackInfoRenderer,
    TimeStamper,
    format_exc_info,
)
from structlog.stdlib import ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, WrappedLogger

CALL_ID: ContextVar[str] = ContextVar("call_id", default="")
"""The id of the request that is being served, as its ``x-request-id`` says."""

TEXT = "text"
JSON = "json"

_HIDDEN = "[hidden]"
_SECRETS = re.compile(
    # Keys by how they begin: ours, LiteLLM's, Paystack's, Supabase's, of webhooks.
    r"\b(?:sk-[A-Za-z0-9_-]{6,}|[sp]k_(?:live|test)_\w+|sb_secret_\w+|whsec_[A-Za-z0-9+/=]+)"
    # JSON web tokens.
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
    # Passwords in addresses.
    r"|(?<=://)[^\s/:@]+:[^\s/@]+(?=@)"
    # Values whose name says that they are secret.
    r"|(?<=[Bb]earer )\S+"
)
_NAMED = re.compile(
    r"(?i)\b(authorization|cookie|x-api-key|api[_-]?key|password|secret|token|token_hash)"
    r"(['\"]?\s*[:=]\s*['\"]?)(?!bearer )([^\s'\",;&}]+)"
)


def redacted(text: str) -> str:
    """Return text without what would let a reader in."""
    return _NAMED.sub(rf"\1\2{_HIDDEN}", _SECRETS.sub(_HIDDEN, text))


def json_lines() -> logging.Formatter:
    """Return what writes lines for machines: one JSON object each."""
    return ProcessorFormatter(
        processors=[
            TimeStamper(fmt="iso", utc=True, key="time"),
            add_log_level,
            add_logger_name,
            _with_process,
            _with_call,
            StackInfoRenderer(),
            format_exc_info,
            EventRenamer("message"),
            ProcessorFormatter.remove_processors_meta,
            _without_secrets,
            JSONRenderer(ensure_ascii=False),
        ]
    )


def text_lines() -> logging.Formatter:
    """Return what writes lines for people: the call's id stands in brackets before the message."""
    return ProcessorFormatter(
        processors=[
            TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False, key="time"),
            _with_process,
            _with_call,
            StackInfoRenderer(),
            format_exc_info,
            _as_text,
        ]
    )


def _with_process(_logger: WrappedLogger, _method: str, said: EventDict) -> EventDict:
    said["process"] = said["_record"].process
    return said


def _with_call(_logger: WrappedLogger, _method: str, said: EventDict) -> EventDict:
    if call_id := CALL_ID.get():
        said["call_id"] = call_id
    return said


def _without_secrets(_logger: WrappedLogger, _method: str, said: EventDict) -> EventDict:
    return {name: redacted(value) if type(value) is str else value for name, value in said.items()}


def _as_text(_logger: WrappedLogger, _method: str, said: EventDict) -> str:
    call = f"[{said['call_id']}] " if "call_id" in said else ""
    line = (
        f"[{said['time']}] [{said['process']}] [{said['_record'].levelname}] {call}{said['event']}"
    )
    more = [str(said[name]) for name in ("exception", "stack") if name in said]
    return redacted("\n".join([line, *more]))


def log_config(kind: str, *, level: str) -> dict[str, Any]:
    """Return a configuration for ``logging.config``: everything to standard error.

    Args:
        kind: ``json``; anything else is text.
        level: The least that is written.
    """
    lines = json_lines if kind == JSON else text_lines
    quiet = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": lines}},
        "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": level.upper(), "handlers": ["errors"]},
        "loggers": {"gunicorn.error": quiet, "gunicorn.access": quiet},
    }
