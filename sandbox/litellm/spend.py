"""What LiteLLM logs of each call, and the page that lists it: ``/spend/logs/v2``."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.litellm.errors import error_body
from sandbox.routing import json_answer

MAX_ROWS = 100_000
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d")


@dataclass(slots=True)
class SpendRow:
    """One call in the log."""

    call_id: str
    api_key: str
    model: str
    spend: float
    prompt_tokens: int
    completion_tokens: int
    started_at: float
    status: str = "success"

    def as_json(self) -> dict[str, Any]:
        """Return the row as LiteLLM shows it."""
        at = datetime.fromtimestamp(self.started_at, UTC).isoformat(timespec="milliseconds")
        return {
            "request_id": f"chatcmpl-{self.call_id}",
            "call_type": "acompletion",
            "api_key": self.api_key,
            "spend": self.spend,
            "total_tokens": self.prompt_tokens + self.completion_tokens,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "startTime": at,
            "endTime": at,
            "completionStartTime": at,
            "model": f"openai/{self.model}",
            "model_group": self.model,
            "custom_llm_provider": "openai",
            "user": "default_user_id",
            "metadata": {"litellm_call_id": self.call_id, "user_api_key": self.api_key},
            "cache_hit": "False",
            "request_tags": [],
            "status": self.status,
        }


class SpendLog:
    """The latest rows, oldest first."""

    def __init__(self) -> None:
        """Start without any."""
        self._rows: deque[SpendRow] = deque(maxlen=MAX_ROWS)
        self._changing = threading.Lock()

    def add(self, row: SpendRow) -> None:
        """Log a call."""
        with self._changing:
            self._rows.append(row)

    def remove(self, call_id: str) -> bool:
        """Lose the row of a call, as a restart of the proxy may; whether there was one."""
        with self._changing:
            kept = [row for row in self._rows if row.call_id != call_id]
            lost = len(kept) < len(self._rows)
            self._rows = deque(kept, maxlen=MAX_ROWS)
        return lost

    def clear(self) -> None:
        """Forget everything."""
        with self._changing:
            self._rows.clear()

    def page(self, request: Request) -> Response:
        """Answer ``/spend/logs/v2``: rows between two dates, newest first, a page of them."""
        try:
            start, end = (_instant(request.args[name]) for name in ("start_date", "end_date"))
        except (KeyError, ValueError):
            message = "Start date and end date are required"
            body = error_body(400, message, "bad_request", "None")
            return Response(body, status=400, content_type="application/json")
        size = min(100, max(1, int(request.args.get("page_size", "50"))))
        page = max(1, int(request.args.get("page", "1")))
        with self._changing:
            rows = [row for row in self._rows if start <= row.started_at <= end]
        rows.sort(key=lambda row: row.started_at, reverse=True)
        shown = rows[(page - 1) * size : page * size]
        return json_answer(
            {
                "data": [row.as_json() for row in shown],
                "total": len(rows),
                "page": page,
                "page_size": size,
                "total_pages": -(-len(rows) // size),
            }
        )


def _instant(text: str) -> float:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
        except ValueError:
            continue
    raise ValueError(text)
