"""Custom auth of a LiteLLM proxy: creditcore decides about each call, and holds its credits.

Put this file beside LiteLLM's config.yaml, with creditcore_callback.py, and name both there::

    general_settings:
      custom_auth: creditcore_auth.authorize
    litellm_settings:
      callbacks: creditcore_callback.callback

Environment: CREDITCORE_URL (https://credits.example.com), CREDITCORE_TOKEN (the same as
LITELLM_DIRECT_TOKEN there), LITELLM_MASTER_KEY (which stays the operator's own way in).

What creditcore has not allowed does not run: no answer from it is a refusal. Tried with 1.91.5.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import os
import re
import uuid

import httpx
from litellm.proxy._types import LitellmUserRoles, ProxyException, UserAPIKeyAuth

ENDPOINTS = {
    "/v1/chat/completions": "/v1/chat/completions",
    "/chat/completions": "/v1/chat/completions",
    "/v1/completions": "/v1/completions",
    "/completions": "/v1/completions",
    "/v1/embeddings": "/v1/embeddings",
    "/embeddings": "/v1/embeddings",
    "/v1/responses": "/v1/responses",
    "/responses": "/v1/responses",
    "/v1/messages": "/v1/messages",
}
"""What keys of creditcore may call; every other route is for the master key alone."""

MODELS = ("/v1/models", "/models")
LIMITS = ("model", "stream", "n", "max_tokens", "max_completion_tokens", "max_output_tokens")
ATTEMPTS = 3
TRACE = "traceparent"
"""W3C's header, which names the trace that a request belongs to."""

TRACES = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")

TRANSPORT: httpx.AsyncBaseTransport | None = None
"""How creditcore is reached; None for the network."""

_client: httpx.AsyncClient | None = None


async def authorize(request, api_key: str) -> UserAPIKeyAuth:
    """Let a request in, if it is the operator's, or if creditcore holds credits for it."""
    secret = api_key.removeprefix("Bearer ").strip()
    if _is_master(secret):
        return UserAPIKeyAuth(api_key=secret, user_role=LitellmUserRoles.PROXY_ADMIN)
    path = request.url.path.removeprefix(request.scope.get("root_path", "").rstrip("/"))
    asked = {"key": secret, "address": request.client.host if request.client else None}
    if request.method == "GET" and path in MODELS:
        asked |= {"call_id": _new_call_id(), "endpoint": "/v1/models"}
        answer = await _ask(asked, None)
        return _known(answer, models=answer["models"] or ["no-model"])
    if request.method != "POST" or path not in ENDPOINTS:
        raise _refused(403, "API keys of this server cannot be used for this.", "not_permitted")
    call_id = _new_call_id()
    body = await _body_of(request)
    asked |= {
        "call_id": call_id,
        "endpoint": ENDPOINTS[path],
        "request": body,
        "headers": {
            name: value for name, value in request.headers.items() if name.startswith("anthropic-")
        },
    }
    trace = _trace_of(request)
    answer = await _ask(asked, trace)
    # What LiteLLM runs is what the credits were held for, and nothing beside it.
    allowed = {name: value for name, value in body.items() if name not in answer["remove"]}
    allowed |= answer["set"]
    request.scope["parsed_body"] = (tuple(allowed), allowed)
    _name_call(request, call_id)
    ours = {
        "call_id": call_id,
        "prompt_estimate": answer["prompt_estimate"],
        # What the callback looks at before the call runs.
        "limits": {name: allowed.get(name) for name in LIMITS},
        "removed": answer["remove"],
        # The report follows what creditcore did for the call, where it sends traces.
        TRACE: answer.get(TRACE) or trace,
    }
    return _known(answer, metadata={"creditcore": ours})


def _known(answer: dict, **more: object) -> UserAPIKeyAuth:
    """Return whose call it is, as LiteLLM's own log will say."""
    return UserAPIKeyAuth(
        api_key=answer["key_id"],
        key_alias=answer["key_name"],
        user_id=answer["owner_id"],
        user_role=LitellmUserRoles.INTERNAL_USER,
        **more,
    )


def _is_master(secret: str) -> bool:
    master = os.environ.get("LITELLM_MASTER_KEY", "")
    return bool(master) and hmac.compare_digest(secret.encode(), master.encode())


def _new_call_id() -> str:
    # Never the client's own: one hold must not pay for two calls.
    return f"call-direct-{uuid.uuid4().hex}"


def _name_call(request, call_id: str) -> None:
    """Have LiteLLM know the call by our name, and take back what its client may not set."""
    own = [
        (name, value)
        for name, value in request.headers.raw
        if not name.lower().startswith(b"x-litellm-")
    ]
    # In place: the headers, which were read just now, share this list.
    request.scope["headers"][:] = [*own, (b"x-litellm-call-id", call_id.encode())]


def _trace_of(request) -> str | None:
    """Return the trace that a request belongs to: of LiteLLM's own span, else of its client."""
    span = getattr(request.state, "parent_otel_span", None)
    if span is not None:
        its = span.get_span_context()
        return f"00-{its.trace_id:032x}-{its.span_id:016x}-{int(its.trace_flags):02x}"
    given = request.headers.get(TRACE, "")
    return given if TRACES.fullmatch(given) else None


async def _body_of(request) -> dict:
    try:
        body = json.loads(await request.body())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _refused(400, "The body is a JSON object.", "invalid_request")
    return body


async def _ask(asked: dict, trace: str | None) -> dict:
    """Ask creditcore; the same question again is answered as before, and holds nothing more."""
    for attempt in range(ATTEMPTS):
        if attempt:
            await asyncio.sleep(0.2 * attempt)
        try:
            answer = await _http().post(
                "/api/litellm/authorize", json=asked, headers={TRACE: trace} if trace else None
            )
        except httpx.HTTPError:
            continue
        if answer.status_code < 500:
            return _allowed(answer)
    raise _refused(503, "Credits cannot be checked at the moment; try again.", "unavailable")


def _allowed(answer: httpx.Response) -> dict:
    if answer.status_code == 200:
        return answer.json()
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        error = {}
    if error.get("code") == "bad_token":
        # The operator's fault, and none of the caller's key.
        raise _refused(503, "This server is not set up to check credits.", "unavailable")
    raise ProxyException(
        message=error.get("message") or "creditcore refused the call.",
        type=error.get("type") or "invalid_request_error",
        param=error.get("param"),
        code=answer.status_code,
        openai_code=error.get("code"),
        headers={
            name: answer.headers[name]
            for name in ("retry-after", "retry-after-ms", "x-should-retry")
            if name in answer.headers
        },
    )


def _refused(status: int, message: str, code: str) -> ProxyException:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return ProxyException(message=message, type=kind, param=None, code=status, openai_code=code)


def _http() -> httpx.AsyncClient:
    global _client  # noqa: PLW0603 - one pool of connections for the process
    if _client is None:
        _client = httpx.AsyncClient(
            base_url=os.environ["CREDITCORE_URL"],
            headers={"authorization": f"Bearer {os.environ['CREDITCORE_TOKEN']}"},
            timeout=10.0,
            transport=TRANSPORT,
        )
    return _client
