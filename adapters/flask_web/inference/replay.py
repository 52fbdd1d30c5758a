"""A call asked for again under its caller's own name for it."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from adapters.flask_web.inference.exchange import JSON, id_headers, whole
from adapters.flask_web.web.cors import ANSWER_HEADERS
from creditcore.ports.inference import HeardWire, InferenceRequest, Wire
from creditcore.usecases.calls.repeat_call import KeptAnswer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse


def replay(
    start_response: StartResponse,
    wire: Wire,
    heard: HeardWire,
    request: InferenceRequest,
    kept: KeptAnswer,
) -> Iterable[bytes]:
    """Answer as the first call with the same token was answered; nothing is charged again."""
    media_type = heard.media_type(request) if kept.status == HTTPStatus.OK else JSON
    headers = [
        *ANSWER_HEADERS,
        *id_headers(wire, kept.call_id),
        ("idempotent-replayed", "true"),
        ("x-credits-cost", "0"),
    ]
    return whole(start_response, kept.status, kept.body, headers, media_type=media_type)
