"""The caller's own name of a request, in ``Idempotency-Key``.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ has it in quotes,
as a structured field; nearly all clients send it bare.
"""

from __future__ import annotations

import re

from creditcore.domain.errors import InvalidRequestError

_BARE = re.compile(r"[!#-+\--\[\]-~]{1,200}")
_QUOTED = re.compile(r'"([ !#-\[\]-~]{1,200})"')


def idempotency_key(header: str | None) -> str | None:
    """Return the key, or None where there is none.

    Raises:
        InvalidRequestError: It is empty, too long, or more than one.
    """
    if header is None:
        return None
    text = header.strip()
    if match := _QUOTED.fullmatch(text):
        return match[1]
    if _BARE.fullmatch(text):
        return text
    raise InvalidRequestError(
        "Idempotency-Key is 1 to 200 visible characters, bare or in quotes, such as a UUID.",
        code="invalid_idempotency_key",
    )
