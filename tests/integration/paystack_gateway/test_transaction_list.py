"""Paystack's list, by cursors and by pages, streamed to its end and read with suspicion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import responses

from adapters.paystack import PaystackGateway, PaystackPaymentList
from adapters.paystack.transaction_list import ROWS_PER_PAGE
from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.domain.money import Money
from creditcore.domain.purchases import PaymentStatus
from creditcore.ports.payment_list import ListedPayment
from tests.integration.paystack_gateway.messages import BASE_URL, a_verification

LIST = f"{BASE_URL}/transaction"
SETTLEMENTS = f"{BASE_URL}/settlement"
SINCE = datetime(2026, 11, 1, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=1)


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def listing(gateway: PaystackGateway, pauses: list[float]) -> PaystackPaymentList:
    return PaystackPaymentList(gateway, wait=pauses.append)


def rows(first: int, count: int) -> list[dict[str, Any]]:
    row: dict[str, Any] = a_verification()["data"]
    return [
        row | {"id": n, "reference": f"cc-{n}", "created_at": "2026-11-01T08:14:24.000Z"}
        for n in range(first, first + count)
    ]


def a_page(data: list[Any], **meta: Any) -> dict[str, Any]:
    return {"status": True, "message": "Transactions retrieved", "data": data, "meta": meta}


def all_of(listing: PaystackPaymentList) -> list[ListedPayment]:
    return list(listing.payments(since=SINCE, until=UNTIL))


def test_cursors_are_followed(
    paystack: responses.RequestsMock, listing: PaystackPaymentList
) -> None:
    paystack.get(LIST, json=a_page(rows(0, 100), next="abc=", previous=None, perPage=100))
    paystack.get(LIST, json=a_page(rows(100, 3), next=None, previous="x", perPage=100))

    found = all_of(listing)

    assert len(found) == 103
    first, second = (call.request.params for call in paystack.calls)
    assert first["from"] == "2026-11-01T00:00:00.000Z"
    assert first["to"] == "2026-11-02T00:00:00.000Z"
    assert (first["use_cursor"], first["perPage"]) == ("true", str(ROWS_PER_PAGE))
    assert second["next"] == "abc="
    assert found[0].payment is not None
    assert found[0].payment.status is PaymentStatus.SUCCEEDED
    assert found[0].payment.amount == Money(2500, "USD")
    assert found[0].fees == Money(95, "USD")
    assert found[0].created_at == datetime(2026, 11, 1, 8, 14, 24, tzinfo=UTC)


def test_page_numbers_are_followed_where_they_come_instead(
    paystack: responses.RequestsMock, listing: PaystackPaymentList
) -> None:
    # A server that gives fewer rows than were asked for.
    paystack.get(LIST, json=a_page(rows(0, 50), total=70, page=1, pageCount=2))
    paystack.get(LIST, json=a_page(rows(50, 20), total=70, page=2, pageCount=2))

    assert len(all_of(listing)) == 70
    assert paystack.calls[1].request.params["page"] == "2"


@pytest.mark.parametrize(
    "meta",
    [
        # Numbers of Paystack's come as digits too.
        {"perPage": "50", "pageCount": "2"},
        # The shape of both lists at once: no cursor, and still a page to come.
        {"perPage": 50, "pageCount": 2, "next": None, "previous": None},
        {"perPage": 50, "pageCount": None},
        {"perPage": 50},
    ],
)
def test_no_page_is_left_out_for_an_odd_meta(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, meta: dict[str, Any]
) -> None:
    paystack.get(LIST, json=a_page(rows(0, 50), **meta))
    paystack.get(LIST, json=a_page(rows(50, 20), **meta))

    assert len(all_of(listing)) == 70
    assert len(paystack.calls) == 2
    assert paystack.calls[1].request.params["page"] == "2"


def test_without_meta_a_short_page_is_the_last(
    paystack: responses.RequestsMock, listing: PaystackPaymentList
) -> None:
    paystack.get(LIST, json={"status": True, "data": rows(0, ROWS_PER_PAGE)})
    paystack.get(LIST, json={"status": True, "data": []})

    assert len(all_of(listing)) == ROWS_PER_PAGE


def test_a_limited_rate_is_waited_for(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, pauses: list[float]
) -> None:
    paystack.get(LIST, json={"status": False, "message": "Rate limit exceeded!"}, status=429)
    paystack.get(LIST, json={"status": False}, status=502)
    paystack.get(LIST, json=a_page(rows(0, 1), next=None))

    assert len(all_of(listing)) == 1
    assert pauses == [1.0, 2.0]


def test_a_list_that_breaks_off_says_so(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, pauses: list[float]
) -> None:
    paystack.get(LIST, json={"status": False}, status=503)

    with pytest.raises(PaymentGatewayUnavailableError):
        all_of(listing)

    assert len(pauses) == 5


def test_a_list_that_cannot_be_begun_is_not_waited_for(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, pauses: list[float]
) -> None:
    paystack.get(LIST, body=requests.ConnectionError("refused"))

    with pytest.raises(PaymentGatewayUnavailableError):
        all_of(listing)

    assert pauses == []


def test_a_list_that_has_begun_is_waited_for_though_paystack_goes_away(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, pauses: list[float]
) -> None:
    paystack.get(LIST, json=a_page(rows(0, 1), next="abc"))
    paystack.get(LIST, body=requests.ConnectionError("refused"))
    paystack.get(LIST, json=a_page(rows(1, 1), next=None))

    assert len(all_of(listing)) == 2
    assert pauses == [1.0]


@pytest.mark.parametrize(
    "changes",
    [{"status": None}, {"amount": None}, {"amount": 1.5}, {"currency": 7}, {"reference": None}],
)
def test_a_garbled_row_is_told_and_not_guessed(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, changes: dict[str, Any]
) -> None:
    paystack.get(LIST, json=a_page([rows(0, 1)[0] | changes, rows(1, 1)[0]], next=None))

    garbled, sound = all_of(listing)

    assert garbled.payment is None
    assert sound.payment is not None


def test_disputed_payments_are_named(
    paystack: responses.RequestsMock, listing: PaystackPaymentList
) -> None:
    disputes = [
        {"id": 1, "transaction": {"reference": "cc-1"}},
        {"id": 2, "transaction": None},
        {"id": 3, "transaction": {"reference": "../../refund"}},
    ]
    paystack.get(f"{BASE_URL}/dispute", json=a_page(disputes, total=3, page=1, pageCount=1))
    paystack.get(f"{BASE_URL}/dispute", json={"status": False, "message": "None"}, status=404)

    found = [list(listing.disputed(since=SINCE, until=UNTIL)) for _ in range(2)]

    assert found == [["cc-1"], []]
    assert paystack.calls[0].request.params["from"] == "2026-11-01T00:00:00.000Z"


@pytest.mark.parametrize("status", [401, 403, 405, 422])
def test_disputes_that_paystack_refuses_are_not_waited_for(
    paystack: responses.RequestsMock,
    listing: PaystackPaymentList,
    pauses: list[float],
    status: int,
) -> None:
    paystack.get(f"{BASE_URL}/dispute", json={"status": False, "message": "No"}, status=status)

    with pytest.raises(PaymentGatewayUnavailableError, match=str(status)):
        list(listing.disputed(since=SINCE, until=UNTIL))

    assert pauses == []


def test_an_address_that_is_not_there_is_not_waited_for(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, pauses: list[float]
) -> None:
    paystack.get(f"{BASE_URL}/dispute", body="<h1>Not Found</h1>", status=404)

    with pytest.raises(PaymentGatewayUnavailableError, match="404"):
        list(listing.disputed(since=SINCE, until=UNTIL))

    assert pauses == []


def test_payouts_are_read(paystack: responses.RequestsMock, listing: PaystackPaymentList) -> None:
    payout = {
        "id": 1,
        "status": "success",
        "currency": "KES",
        "total_amount": 9700,
        "total_processed": "10000",
        "total_fees": 300,
        "settlement_date": "2026-11-01T00:00:00.000Z",
    }
    paystack.get(SETTLEMENTS, json=a_page([payout, payout | {"settlement_date": None}]))

    [settlement] = listing.settlements(since=SINCE, until=UNTIL)

    assert (settlement.gross, settlement.net) == (Money(10000, "KES"), Money(9700, "KES"))
    assert (settlement.id, settlement.day) == ("1", SINCE.date())


def test_the_payments_of_a_payout_are_read_to_the_last_page(
    paystack: responses.RequestsMock, listing: PaystackPaymentList
) -> None:
    some = f"{SETTLEMENTS}/3090024/transactions"
    paystack.get(some, json=a_page(rows(0, 100), total=101, page=1, pageCount=2))
    paystack.get(some, json=a_page(rows(100, 1), total=101, page=2, pageCount=2))

    found = list(listing.payments_of("3090024"))

    assert [row.reference for row in found] == [f"cc-{n}" for n in range(101)]
    assert paystack.calls[1].request.params["page"] == "2"


@pytest.mark.parametrize("settlement_id", ["", "../transaction", "-1"])
def test_a_payout_without_a_number_names_no_payments(
    paystack: responses.RequestsMock, listing: PaystackPaymentList, settlement_id: str
) -> None:
    assert list(listing.payments_of(settlement_id)) == []
    assert len(paystack.calls) == 0


def test_an_account_without_payouts_has_none(
    paystack: responses.RequestsMock, listing: PaystackPaymentList
) -> None:
    paystack.get(SETTLEMENTS, json={"status": False, "message": "Not found"}, status=404)

    assert list(listing.settlements(since=SINCE, until=UNTIL)) == []
