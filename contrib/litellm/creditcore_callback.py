"""Callback of a LiteLLM proxy: settles with creditcore what creditcore_auth.py had it hold.

See creditcore_auth.py for where to put it. What gets lost here, with a process that dies or a
network that is down for long, is settled by LiteLLM's own spend log when the hold expires.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re

import httpx
from litellm.integrations.custom_logger import CustomLogger

PAUSES_S = (0.0, 0.2, 1.0, 3.0)
"""Before each attempt to tell creditcore; LiteLLM gives a callback about 20 seconds."""

TRANSPORT: httpx.AsyncBaseTransport | None = None
"""How creditcore is reached; None for the network."""

GRACE_S = 5.0
"""How long LiteLLM's own count of a broken stream is waited for; 1.91.5 has none, later ones do."""

_DELTA = re.compile(rb'"(?:text|partial_json|thinking|delta)"\s*:\s*"((?:[^"\\]|\\.)*)"')

_OWN = ("metadata", "litellm_metadata", "user")
"""Names that LiteLLM gives values of its own."""

_CLIENT_LEFT = 499

_log = logging.getLogger("creditcore")


class CreditcoreCallback(CustomLogger):
    """Checks that a call runs as it was allowed, and tells what came of it."""

    def __init__(self) -> None:
        """Connect when first needed."""
        super().__init__()
        self._client: httpx.AsyncClient | None = None
        self._telling: set[asyncio.Task[None]] = set()

    async def async_pre_call_hook(self, user_api_key_dict, cache, data, call_type):
        """Refuse to run what is not what was held for: LiteLLM read the request otherwise."""
        ours = (user_api_key_dict.metadata or {}).get("creditcore")
        if ours is None:
            return data
        expected = {**ours["limits"], "litellm_call_id": ours["call_id"]}
        wrong = [name for name, value in expected.items() if data.get(name) != value]
        wrong += [name for name in ours["removed"] if name in data and name not in _OWN]
        if wrong:
            _log.error("LiteLLM would run call %s otherwise: %s", ours["call_id"], wrong)
            raise RuntimeError("This LiteLLM does not run requests as creditcore_auth allows them.")
        return data

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time) -> None:
        """Tell what a call used, also one whose client left."""
        told = kwargs.get("standard_logging_object") or {}
        metadata = told.get("metadata") or {}
        ours = (metadata.get("user_api_key_auth_metadata") or {}).get("creditcore")
        if ours is None:
            return
        error = told.get("error_information") or {}
        left = "disconnected" in str(error.get("error_message") or "").lower()
        usage = metadata.get("usage_object") or {
            name: told.get(name, 0) for name in ("prompt_tokens", "completion_tokens")
        }
        cost = told.get("response_cost")
        await self._tell(
            ours,
            {
                "call_id": ours["call_id"],
                "status": "success",
                "usage": usage,
                "cost_usd": None if cost is None else str(cost),
                "http_status": _CLIENT_LEFT if left else 200,
                "error": "client_left" if left else None,
                "latency_ms": _milliseconds(told.get("startTime"), told.get("endTime")) or 0,
                "first_byte_ms": _milliseconds(
                    told.get("startTime"), told.get("completionStartTime")
                ),
            },
        )

    async def async_post_call_streaming_iterator_hook(
        self, user_api_key_dict, response, request_data
    ):
        """Count a stream as it passes, for when it breaks off before its usage has come."""
        ours = (user_api_key_dict.metadata or {}).get("creditcore")
        if ours is None:
            async for chunk in response:
                yield chunk
            return
        written, error = 0, "client_left"
        try:
            async for chunk in response:
                written += tokens_in(chunk)
                yield chunk
            error = None
        except Exception as failure:
            error = type(failure).__name__
            if written:
                await self._tell(ours, _broken_off(ours, written, error))
            raise
        finally:
            if error == "client_left":
                # Left by its client: this generator may wait for nothing any more.
                report = _broken_off(ours, written, error)
                task = asyncio.get_running_loop().create_task(self._tell_later(ours, report))
                self._telling.add(task)
                task.add_done_callback(self._telling.discard)

    async def async_post_call_failure_hook(
        self,
        request_data,
        original_exception,
        user_api_key_dict,
        traceback_str=None,
    ) -> None:
        """Tell that a call has failed for good: its retries and fallbacks are over."""
        ours = (user_api_key_dict.metadata or {}).get("creditcore")
        if ours is None:
            return
        status = str(getattr(original_exception, "status_code", None) or 502)
        await self._tell(
            ours,
            {
                "call_id": ours["call_id"],
                "status": "failure",
                "http_status": int(status) if status.isdigit() and len(status) == 3 else 502,
                "error": type(original_exception).__name__,
            },
        )

    async def _tell_later(self, ours: dict, report: dict) -> None:
        await asyncio.sleep(GRACE_S)
        await self._tell(ours, report)

    async def _tell(self, ours: dict, report: dict) -> None:
        """Tell creditcore until it has understood, for a while; it takes a repeat for one."""
        trace = ours.get("traceparent")
        for pause_s in PAUSES_S:
            await asyncio.sleep(pause_s)
            try:
                answer = await self._http().post(
                    "/api/litellm/log-usage",
                    json=report,
                    headers={"traceparent": trace} if trace else None,
                )
            except (httpx.HTTPError, TypeError) as error:
                _log.warning("call %s could not be told: %r", report["call_id"], error)
                continue
            if answer.status_code < 500:
                if answer.status_code != 200:
                    _log.error("call %s is not settled: %s", report["call_id"], answer.text[:500])
                return
        _log.error("call %s is left to the spend log", report["call_id"])

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=os.environ["CREDITCORE_URL"],
                headers={"authorization": f"Bearer {os.environ['CREDITCORE_TOKEN']}"},
                timeout=3.0,
                transport=TRANSPORT,
            )
        return self._client


def tokens_in(chunk: object) -> int:
    """Return how many tokens a piece of a stream writes: one for four bytes, one at least."""
    if isinstance(chunk, (bytes, str)):
        raw = chunk.encode() if isinstance(chunk, str) else chunk
        return sum(_tokens(len(text)) for text in _DELTA.findall(raw))
    delta = getattr(chunk, "delta", None)
    if isinstance(delta, str):
        return _tokens(len(delta.encode()))
    return sum(_tokens(_length(choice)) for choice in getattr(chunk, "choices", None) or ())


def _length(choice: object) -> int:
    """Return the bytes that a choice of chat, or of a completion, adds to its answer."""
    delta = getattr(choice, "delta", None)
    parts = [
        getattr(choice, "text", None),
        getattr(delta, "content", None),
        getattr(delta, "reasoning_content", None),
    ]
    for call in getattr(delta, "tool_calls", None) or ():
        function = getattr(call, "function", None)
        parts += [getattr(function, "name", None), getattr(function, "arguments", None)]
    return sum(len(part.encode()) for part in parts if isinstance(part, str))


def _tokens(length: int) -> int:
    return -(-length // 4)


def _broken_off(ours: dict, written: int, error: str) -> dict:
    left = error == "client_left"
    return {
        "call_id": ours["call_id"],
        "status": "success",
        # The prompt was read, whatever was written after it.
        "usage": {"prompt_tokens": ours["prompt_estimate"], "completion_tokens": written},
        "counted": True,
        "http_status": _CLIENT_LEFT if left else 502,
        "error": error,
    }


def _milliseconds(start: object, end: object) -> int | None:
    """Return how long something took; times are seconds since 1970, as LiteLLM writes them."""
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        return None
    return max(0, round((end - start) * 1000))


callback = CreditcoreCallback()
