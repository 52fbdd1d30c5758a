"""Callback of a LiteLLM proxy: settles with creditcore what creditcore_auth.py had it hold.

See creditcore_auth.py for where to put it. What gets lost here, with a process that dies or a
network that is down for long, is settled by LiteLLM's own spend log when the hold expires.
"""

from __future__ import annotations

import asyncio
import logging
import os

import httpx
from litellm.integrations.custom_logger import CustomLogger

PAUSES_S = (0.0, 0.2, 1.0, 3.0)
"""Before each attempt to tell creditcore; LiteLLM gives a callback about 20 seconds."""

TRANSPORT: httpx.AsyncBaseTransport | None = None
"""How creditcore is reached; None for the network."""

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
            }
        )

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
            {
                "call_id": ours["call_id"],
                "status": "failure",
                "http_status": int(status) if status.isdigit() and len(status) == 3 else 502,
                "error": type(original_exception).__name__,
            }
        )

    async def _tell(self, report: dict) -> None:
        """Tell creditcore until it has understood, for a while; it takes a repeat for one."""
        for pause_s in PAUSES_S:
            await asyncio.sleep(pause_s)
            try:
                answer = await self._http().post("/api/litellm/log-usage", json=report)
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


def _milliseconds(start: object, end: object) -> int | None:
    """Return how long something took; times are seconds since 1970, as LiteLLM writes them."""
    if not isinstance(start, (int, float)) or not isinstance(end, (int, float)):
        return None
    return max(0, round((end - start) * 1000))


callback = CreditcoreCallback()
