"""What Paystack's JSON means to us, and what is refused as meaning nothing."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.paystack.notices import read_notice, redacted
from adapters.paystack.payloads import (
    Answer,
    initialize_body,
    is_reference,
    read_checkout_url,
    read_payment,
)
from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.domain.money import Money
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.payments import CheckoutRequest, EventKind, WebhookNotice

REFERENCE = "tp-01JD9K7Q2M8F"

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(), parts, max_size=4),
    max_leaves=12,
)


def verified(**changes: Any) -> Answer:
    """An accepted answer to verify; a change to None leaves the field out."""
    data = {"id": 5012345678, "status": "success", "reference": REFERENCE} | {
        "amount": 2500,
        "currency": "USD",
        "channel": "card",
        "message": None,
        "gateway_response": "Successful",
    }
    data |= changes
    present = {name: value for name, value in data.items() if value is not None}
    return Answer(200, {"status": True, "message": "Verification successful", "data": present})


def a_request() -> CheckoutRequest:
    return CheckoutRequest(
        reference=REFERENCE,
        amount=Money(2500, "USD"),
        email="amina@example.com",
        return_url="https://app.example.com/payments/paystack",
        cancel_url="https://app.example.com/dashboard/billing",
        description="5,000 credits",
    )


def test_checkout_request_names_everything_paystack_would_otherwise_choose() -> None:
    body = json.loads(initialize_body(a_request(), channels=("card",)))

    metadata = json.loads(body.pop("metadata"))
    assert body == {
        "email": "amina@example.com",
        "amount": 2500,
        "currency": "USD",
        "reference": REFERENCE,
        "callback_url": "https://app.example.com/payments/paystack",
        "channels": ["card"],
    }
    assert metadata["cancel_action"] == "https://app.example.com/dashboard/billing"
    assert [field["value"] for field in metadata["custom_fields"]] == ["5,000 credits"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("success", PaymentStatus.SUCCEEDED),
        ("failed", PaymentStatus.FAILED),
        ("reversed", PaymentStatus.REVERSED),
        ("reversal-pending", PaymentStatus.REVERSED),
        ("abandoned", PaymentStatus.PENDING),
        ("ongoing", PaymentStatus.PENDING),
        ("pending", PaymentStatus.PENDING),
        ("processing", PaymentStatus.PENDING),
        ("queued", PaymentStatus.PENDING),
        ("a-word-of-next-year", PaymentStatus.PENDING),
        ("SUCCESS", PaymentStatus.PENDING),
    ],
)
def test_each_status_has_one_meaning(word: str, status: PaymentStatus) -> None:
    assert read_payment(verified(status=word), reference=REFERENCE).status is status


@pytest.mark.parametrize(
    ("amount", "minor_units"), [(2500, 2500), ("2500", 2500), ("0100", 100), (0, 0)]
)
def test_amount_is_subunits_as_number_or_digits(amount: object, minor_units: int) -> None:
    payment = read_payment(verified(amount=amount), reference=REFERENCE)

    assert payment.amount == Money(minor_units, "USD")


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": None},
        {"amount": 2500.0},
        {"amount": "2500.00"},
        {"amount": "25e2"},
        {"amount": " 2500"},
        {"amount": "٢٥٠٠"},
        {"amount": ""},
        {"amount": True},
        {"amount": -2500},
        {"amount": 2**63},
        {"amount": "9" * 5000},
        {"amount": [2500]},
        {"currency": None},
        {"currency": "usd"},
        {"currency": "US$"},
        {"currency": 840},
        {"status": None},
        {"status": True},
        {"reference": None},
        {"reference": "tp-SOMEBODY-ELSE"},
        {"reference": REFERENCE.lower()},
        {"reference": [REFERENCE]},
    ],
    ids=str,
)
def test_garbled_answer_is_never_guessed_at(changes: dict[str, object]) -> None:
    with pytest.raises(PaymentGatewayUnavailableError):
        read_payment(verified(**changes), reference=REFERENCE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"message": "Insufficient funds", "gateway_response": "Declined"}, "Insufficient funds"),
        ({"message": None, "gateway_response": "Declined"}, "Declined"),
        ({"message": "", "gateway_response": "Declined"}, "Declined"),
        ({"message": {"text": "?"}, "gateway_response": None}, ""),
        ({"message": "no\0 \nmoney" + "!" * 500}, "no money" + "!" * 192),
    ],
)
def test_failure_is_explained_in_clean_words(changes: dict[str, object], message: str) -> None:
    payment = read_payment(verified(status="failed", **changes), reference=REFERENCE)

    assert payment.message == message


@pytest.mark.parametrize(
    ("number", "provider_id"),
    [(5012345678, "5012345678"), (2**64 - 1, str(2**64 - 1)), ("77", "77"), (None, ""), ({}, "")],
)
def test_provider_id_is_text(number: object, provider_id: str) -> None:
    assert read_payment(verified(id=number), reference=REFERENCE).provider_id == provider_id


@pytest.mark.parametrize(
    ("channel", "number", "code"),
    [
        ("mobile_money", " skl7xyz12a\n", "skl7xyz12a"),
        ("mobile_money", 10101, "10101"),
        ("mobile_money", None, ""),
        ("mobile_money", {}, ""),
        ("card", "10101", ""),
    ],
)
def test_networks_code_is_text_of_phones_alone(channel: str, number: object, code: str) -> None:
    answer = verified(channel=channel, receipt_number=number)

    assert read_payment(answer, reference=REFERENCE).receipt_code == code


@pytest.mark.parametrize("metadata", [{"topup_id": "42"}, '{"topup_id":"42"}', "", None, 0, [1]])
def test_metadata_of_any_type_change_nothing(metadata: object) -> None:
    with_metadata = read_payment(verified(metadata=metadata), reference=REFERENCE)

    assert with_metadata == read_payment(verified(), reference=REFERENCE)


@given(data=any_json)
def test_whatever_an_answer_contains_only_the_gateways_error_comes_out(data: object) -> None:
    answer = Answer(200, {"status": True, "data": data})

    with pytest.raises(PaymentGatewayUnavailableError):
        read_payment(answer, reference=REFERENCE)
    with pytest.raises(PaymentGatewayUnavailableError):
        read_checkout_url(answer, reference=REFERENCE)


@given(
    fields=st.fixed_dictionaries(
        {"reference": st.just(REFERENCE)},
        optional=dict.fromkeys(("amount", "currency", "status", "id", "message"), any_json),
    )
)
def test_whatever_a_payment_contains_it_is_read_or_refused(fields: dict[str, object]) -> None:
    answer = Answer(200, {"status": True, "data": fields})

    try:
        payment = read_payment(answer, reference=REFERENCE)
    except PaymentGatewayUnavailableError:
        return
    assert payment.amount.minor_units == int(str(fields["amount"]))
    assert payment.amount.currency == fields["currency"]


@given(http_status=st.integers(100, 599), body=st.binary() | any_json.map(json.dumps))
def test_whatever_answers_only_the_gateways_error_comes_out(
    http_status: int, body: bytes | str
) -> None:
    content = body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass")

    with pytest.raises(PaymentGatewayUnavailableError):
        read_payment(Answer.parse(http_status, content), reference=REFERENCE)


@pytest.mark.parametrize(
    ("http_status", "envelope", "unknown"),
    [
        (400, {"status": False, "message": "?", "code": "transaction_not_found"}, True),
        (400, {"status": False, "message": "Transaction reference not found."}, True),
        (404, {"status": False, "message": "Transaction not found"}, True),
        (404, {"status": "false", "message": "Transaction not found"}, True),
        (404, {"error": "no such route"}, False),
        (400, {"status": False, "message": "Something else", "code": "missing_params"}, False),
        (200, {"status": True, "code": "transaction_not_found"}, False),
    ],
)
def test_only_paystack_says_that_a_reference_is_unknown(
    http_status: int, envelope: dict[str, object], unknown: bool
) -> None:
    assert Answer(http_status, envelope).is_unknown_reference is unknown


@pytest.mark.parametrize(
    ("event", "reference"),
    [
        ({"event": "charge.success", "data": {"reference": REFERENCE, "metadata": 0}}, REFERENCE),
        (
            {
                "event": "refund.processed",
                "data": {"transaction_reference": REFERENCE, "refund_reference": "132000000001"},
            },
            REFERENCE,
        ),
        (
            {
                "event": "charge.dispute.create",
                "data": {"transaction_reference": None, "transaction": {"reference": REFERENCE}},
            },
            REFERENCE,
        ),
        ({"event": "customeridentification.success", "data": {"email": "a@b.c"}}, ""),
        ({"event": "charge.success", "data": {"reference": "../../refund"}}, ""),
        ({"event": "charge.success", "data": {"transaction": "tp-1"}}, ""),
        ({"event": "charge.success", "data": [1]}, ""),
        ({"event": "charge.success"}, ""),
    ],
)
def test_each_event_names_its_payment(event: dict[str, object], reference: str) -> None:
    notice = read_notice(orjson.dumps(event))

    assert (notice.name, notice.reference) == (event["event"], reference)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("charge.success", EventKind.PAID),
        ("charge.failed", EventKind.OTHER),
        ("charge.success.later", EventKind.OTHER),
        ("refund.pending", EventKind.REFUND),
        ("refund.processing", EventKind.REFUND),
        ("refund.processed", EventKind.REFUND),
        ("refund.failed", EventKind.REFUND),
        ("refund.needs-attention", EventKind.REFUND),
        ("charge.dispute.create", EventKind.DISPUTE),
        ("charge.dispute.remind", EventKind.DISPUTE),
        ("charge.dispute.resolve", EventKind.DISPUTE),
        ("bank.transfer.rejected", EventKind.OTHER),
        ("transfer.success", EventKind.OTHER),
        ("invoice.create", EventKind.OTHER),
        ("paid", EventKind.OTHER),
    ],
)
def test_each_event_has_a_meaning(name: str, kind: EventKind) -> None:
    assert read_notice(orjson.dumps({"event": name})).kind is kind


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'"charge.success"', b"{}", b'{"event":7}', b"\xff", b"{" * 5000]
)
def test_body_that_is_no_event_says_nothing(body: bytes) -> None:
    assert read_notice(body) == WebhookNotice(kind=EventKind.UNREADABLE, name="", reference="")


@given(event=any_json | st.fixed_dictionaries({"event": st.text(), "data": any_json}))
def test_whatever_a_webhook_contains_it_is_read(event: object) -> None:
    notice = read_notice(json.dumps(event).encode())

    assert notice.name.isprintable()
    assert notice.reference == "" or is_reference(notice.reference)


def test_a_redacted_webhook_keeps_what_the_books_need_and_no_person_in_it() -> None:
    event = {
        "event": "charge.success",
        "data": {
            "id": 1,
            "reference": REFERENCE,
            "amount": "500",
            "currency": "KES",
            "channel": "mobile_money",
            "ip_address": "203.0.113.7",
            "metadata": {"topup_id": "42"},
            "authorization": {"last4": "4081", "bin": "408408"},
            "customer": {"email": "amina@example.com", "phone": "+254710000000"},
            "transaction": {"reference": REFERENCE, "authorization": {"last4": "4081"}},
        },
    }

    left = redacted(json.dumps(event))

    assert json.loads(left) == {
        "event": "charge.success",
        "data": {
            "id": 1,
            "reference": REFERENCE,
            "amount": "500",
            "currency": "KES",
            "channel": "mobile_money",
            "transaction": {"reference": REFERENCE},
        },
    }
    assert read_notice(left.encode()) == read_notice(json.dumps(event).encode())


@given(body=st.text() | any_json.map(json.dumps))
def test_whatever_was_stored_it_can_be_redacted(body: str) -> None:
    assert set(json.loads(redacted(body))) == {"event", "data"}


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (REFERENCE, True),
        ("a", True),
        ("a.b=c-d", True),
        ("x" * 100, True),
        ("x" * 101, False),
        ("", False),
        (".", False),
        ("..", False),
        ("a/b", False),
        ("a_b", False),
        ("a b", False),
        ("a\n", False),
        ("é", False),
    ],
)
def test_references_have_documented_characters_only(text: str, good: bool) -> None:
    assert is_reference(text) is good
