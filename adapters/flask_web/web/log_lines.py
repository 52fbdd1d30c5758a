"""What is written down: as text or as one JSON object a line, with the call's id, without secrets.

Nothing here is meant to log a secret; what a library puts into the text of an exception is out of
our hands, so every line goes through the same sieve.
"""

from __future__ import annotations

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

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
    # Whatever a name says is secret.
    r"|(?<=[Bb]earer )\S+"
)
_NAMED = re.compile(
    r"(?i)\b(authorization|cookie|x-api-key|api[_-]?key|password|secret|token|token_hash)"
    r"(['\"]?\s*[:=]\s*['\"]?)(?!bearer )([^\s'\",;&}]+)"
)


def redacted(text: str) -> str:
    """Return text without what would let a reader in."""
    return _NAMED.sub(rf"\1\2{_HIDDEN}", _SECRETS.sub(_HIDDEN, text))


class TextLines(logging.Formatter):
    """Lines for people; ``%(call)s`` is the call's id in brackets, or nothing."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        call_id = CALL_ID.get()
        record.call = f"[{call_id}] " if call_id else ""
        return redacted(super().format(record))


class JsonLines(logging.Formatter):
    """Lines for machines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "process": record.process,
        }
        if call_id := CALL_ID.get():
            said["call_id"] = call_id
        if record.exc_info:
            said["exception"] = redacted(self.formatException(record.exc_info))
        return json.dumps(said, ensure_ascii=False)


def log_config(kind: str, *, level: str) -> dict[str, Any]:
    """Return a configuration for ``logging.config``: everything to standard error.

    Args:
        kind: ``json``; anything else is text.
        level: The least that is written.
    """
    formatter = JsonLines if kind == JSON else TextLines
    pattern = "[%(asctime)s] [%(process)d] [%(levelname)s] %(call)s%(message)s"
    quiet = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter, "fmt": pattern}},
        "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": level.upper(), "handlers": ["errors"]},
        "loggers": {"gunicorn.error": quiet, "gunicorn.access": quiet},
    }
