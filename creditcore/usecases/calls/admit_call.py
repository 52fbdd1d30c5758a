"""Hold credits for the bearer of a key; see to it that nothing stays held in doubt."""

from __future__ import annotations

from contextlib import suppress

from creditcore.domain.decisions import Admission
from creditcore.domain.errors import CreditcoreError, OutcomeUnknownError, StoreError
from creditcore.domain.holds import Call
from creditcore.domain.pricing import Ceiling
from creditcore.usecases.calls.charge_usage import ChargeUsage


def admit_call(
    charge: ChargeUsage,
    key_hash: bytes,
    ceiling: Ceiling,
    call: Call,
    *,
    call_id: str,
    address: str | None,
) -> Admission:
    """Authorize a call, and undo an authorization whose outcome is unknown.

    Errors carry the model that was asked for.

    Raises:
        CreditcoreError: As ``ChargeUsage.authorize_key`` does.
    """
    try:
        return charge.authorize_key(
            key_hash, ceiling=ceiling, reference=call_id, call=call, address=address
        )
    except BaseException as error:
        is_known = isinstance(error, CreditcoreError)
        if isinstance(error, CreditcoreError):
            error.model = call.model
        if not is_known or isinstance(error, OutcomeUnknownError):
            # The database fell silent, or its caller was stopped: credits may be held.
            with suppress(StoreError):
                charge.void_later(key_hash, reference=call_id, call=call)
        raise
