"""Refused calls stand in the list of the account API beside those that were made."""

from adapters.flask_web.api import calls
from adapters.flask_web.api.shapes import CallShape, ReceiptShape
from creditcore.domain.refusals import RefusedCall
from creditcore.testing.contracts import NOON

REFUSED = RefusedCall(
    reference="call-1",
    wallet_id="wallet-1",
    key_id="key-1",
    model="demo",
    endpoint="/v1/chat/completions",
    status=402,
    code="insufficient_quota",
    message="Not enough.",
    at=NOON,
)


def test_a_refused_call_has_every_field_that_calls_and_receipts_have() -> None:
    fields = calls._refused_fields(REFUSED)

    assert CallShape.model_validate(fields).state == "refused"
    assert ReceiptShape.model_validate(fields | calls._NO_COST).lines == []
