"""Calls that people make at the model server itself, which asks us before and tells us after."""

from __future__ import annotations

import re
from dataclasses import dataclass

from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import Usage

DIRECT_PREFIX = "call-direct-"
"""How the model server names such a call. The gateway's own calls never have such a name."""

_ID = re.compile(rf"{DIRECT_PREFIX}[0-9a-f]{{32}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallReport:
    """What the model server tells of a call that has ended.

    Attributes:
        succeeded: Whether its caller got an answer, or the beginning of one.
        usage: Tokens by bucket, where known.
        counted: Whether they are the rough count of what passed, not the provider's own.
        reported_cost: What it cost by the model server, in USD as decimal text.
        status: The HTTP status that the caller saw.
        error: A short machine-readable word where the call failed.
        latency_ms: From the request to the last byte.
        first_byte_ms: From the request to the first byte of the answer.
    """

    succeeded: bool
    usage: Usage | None = None
    counted: bool = False
    reported_cost: str | None = None
    status: int = 200
    error: str | None = None
    latency_ms: int = 0
    first_byte_ms: int | None = None


def check_call_id(call_id: str) -> str:
    """Return the name of a direct call, if it is one.

    Raises:
        InvalidRequestError: It is not; calls of the gateway cannot be touched from outside.
    """
    if not _ID.fullmatch(call_id):
        raise InvalidRequestError(
            f"call_id is {DIRECT_PREFIX} followed by 32 hexadecimal digits, new for each call.",
            param="call_id",
        )
    return call_id
