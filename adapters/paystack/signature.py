"""Webhook signatures.

Paystack signs the exact bytes of a webhook's body with HMAC-SHA512 and sends the digest
as lower-case hex in ``x-paystack-signature``. The key is the account's secret key: there
is no separate webhook secret, no timestamp and no event id
(https://paystack.com/docs/payments/webhooks/).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

_SHAPE = re.compile(r"[0-9a-f]{128}")


def is_signed(body: bytes, signature: str | None, secret_keys: Sequence[str]) -> bool:
    """Whether one of the secret keys signed exactly these bytes.

    Args:
        body: As received: parsing and writing it again would change it.
        signature: The header as received; None where there is none.
        secret_keys: The current key, and old ones while a rotation is under way.
    """
    # compare_digest() refuses text beyond ASCII with a TypeError, so the shape comes first.
    if signature is None or not _SHAPE.fullmatch(signature):
        return False
    return any(hmac.compare_digest(sign(body, key), signature) for key in secret_keys)


def sign(body: bytes, secret_key: str) -> str:
    """Return the signature of a body as lower-case hex."""
    return hmac.new(secret_key.encode(), body, hashlib.sha512).hexdigest()
