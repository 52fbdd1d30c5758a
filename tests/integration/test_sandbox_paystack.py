"""The Paystack stand-in behaves as the documented service does, and misbehaves when told to."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.process import SandboxProcess
from tests.stack import PATIENCE_S, wait_until

SECRET = "sk_test_sandbox"


class Merchant:
    """A webhook receiver: answers the listed statuses, then 200, and keeps what arrived."""

    def __init__(self) -> None:
        self.received: Queue[tuple[bytes, str]] = Queue()
        self.statuses: list[int] = []
        merchant = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                merchant.received.put((body, self.headers["x-paystack-signature"]))
                self.send_response(merchant.statuses.pop(0) if merchant.statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def next_event(self) -> tuple[bytes, str]:
        return self.received.get(timeout=PATIENCE_S)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess.start() as running:
        yield running


@pytest.fixture
def merchant() -> Iterator[Merchant]:
    receiver = Merchant()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


class Client:
    """The calls that the tests make."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.http = requests.Session()
        self.http.headers["authorization"] = f"Bearer {SECRET}"
        self.base, self.control_base = sandbox.paystack_url, f"{sandbox.base_url}/control"

    def initialize(self, **changes: Any) -> requests.Response:
        fields = {
            "email": "ada@example.com",
            "amount": 1000,
            "currency": "USD",
            "reference": "ref-1",
        } | changes
        fields = {name: value for name, value in fields.items() if value is not ...}
        return self.http.post(
            f"{self.base}/transaction/initialize", json=fields, timeout=PATIENCE_S
        )

    def checkout(self, **changes: Any) -> str:
        answer = self.initialize(**changes)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["authorization_url"])

    def verify(self, reference: str = "ref-1") -> requests.Response:
        return self.http.get(f"{self.base}/transaction/verify/{reference}", timeout=PATIENCE_S)

    def verified(self, reference: str = "ref-1") -> dict[str, Any]:
        data: dict[str, Any] = self.verify(reference).json()["data"]
        return data

    def list(self, **query: Any) -> dict[str, Any]:
        answer = self.http.get(f"{self.base}/transaction", params=query, timeout=PATIENCE_S)
        page: dict[str, Any] = answer.json()
        return page

    def control(self, path: str, **order: Any) -> requests.Response:
        return self.http.post(f"{self.control_base}{path}", json=order, timeout=PATIENCE_S)

    def recorded(self, path: str, **query: Any) -> Any:
        return self.http.get(
            f"{self.control_base}/paystack{path}", params=query, timeout=PATIENCE_S
        ).json()

    def press(self, page: str, button: str) -> requests.Response:
        return requests.post(
            page, data={"action": button}, allow_redirects=False, timeout=PATIENCE_S
        )

    def deliveries(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Return the deliveries once they are as they should be."""
        wait_until(lambda: condition(self.recorded("/deliveries")))
        rows: list[Any] = self.recorded("/deliveries")
        return rows

    def all_deliveries_of(self, reference: str) -> list[Any]:
        """Return the deliveries about a payment, when whatever there was to send is on its way.

        Events leave in the order of their payments, so another payment is made and awaited.
        """
        self.checkout(reference="another")
        self.control("/paystack/pay", reference="another")
        rows = self.deliveries(
            lambda rows: (
                all(row["status"] for row in rows)
                and "another" in {row["reference"] for row in rows}
            )
        )
        return [row for row in rows if row["reference"] == reference]


@pytest.fixture
def paystack(sandbox: SandboxProcess) -> Iterator[Client]:
    client = Client(sandbox)
    assert client.control("/reset").status_code == 200
    yield client
    client.http.close()


# The API


def test_wrong_key_is_refused(paystack: Client) -> None:
    paystack.http.headers["authorization"] = "Bearer sk_test_other"

    answer = paystack.initialize()

    assert answer.status_code == 401
    assert (answer.json()["status"], answer.json()["message"]) == (False, "Invalid key")


def test_initialize_returns_a_checkout_page(paystack: Client) -> None:
    answer = paystack.initialize()

    assert answer.json()["message"] == "Authorization URL created"
    data = answer.json()["data"]
    assert data["reference"] == "ref-1"
    assert data["authorization_url"] == f"{paystack.base}/checkout/{data['access_code']}"


def test_initialize_accepts_form_bodies_and_makes_up_a_reference(paystack: Client) -> None:
    fields = {"email": "ada@example.com", "amount": "1000", "currency": "USD"}

    answer = paystack.http.post(
        f"{paystack.base}/transaction/initialize", data=fields, timeout=PATIENCE_S
    )

    assert answer.status_code == 200
    assert answer.json()["data"]["reference"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"amount": 100.5}, '"amount" must be an integer'),
        ({"amount": "100.50"}, '"amount" must be an integer'),
        ({"amount": True}, '"amount" must be an integer'),
        ({"amount": 0}, "Invalid Amount Sent"),
        ({"amount": -5}, "Invalid Amount Sent"),
        ({"amount": ...}, "Invalid Amount Sent"),
        ({"amount": 199}, "Invalid Amount Sent"),
        ({"amount": 299, "currency": "KES"}, "Invalid Amount Sent"),
        ({"currency": "EUR"}, "Currency not supported by merchant"),
        ({"currency": ["USD"]}, "Currency not supported by merchant"),
        ({"email": "nobody"}, "Invalid Email Address Passed"),
        ({"email": ...}, "Invalid Email Address Passed"),
        ({"reference": "a_b"}, "reference"),
        ({"reference": "a b"}, "reference"),
        ({"reference": ["a"]}, "reference"),
        ({"callback_url": "/billing"}, "callback_url"),
        ({"metadata": 7}, "metadata"),
        ({"metadata": "{"}, "metadata"),
        ({"channels": ["pigeon"]}, "channels"),
        (
            {"channels": ["mobile_money"]},
            "No active channel to process transaction. Please contact merchant",
        ),
    ],
)
def test_initialize_refuses_bad_fields(
    paystack: Client, change: dict[str, Any], message: str
) -> None:
    answer = paystack.initialize(**change)

    assert answer.status_code == 400
    assert answer.json()["status"] is False
    assert message in answer.json()["message"]
    # A refused call does not use the reference up.
    assert paystack.initialize().status_code == 200


@pytest.mark.parametrize("amount", [1000, "1000", 1000.0])
def test_initialize_accepts_whole_amounts_in_any_dress(paystack: Client, amount: object) -> None:
    paystack.checkout(amount=amount)

    assert paystack.verified()["requested_amount"] == 1000


def test_reference_is_unique_for_ever(paystack: Client) -> None:
    paystack.checkout()

    answer = paystack.initialize(amount=5000)

    assert answer.status_code == 400
    assert answer.json() == {
        "status": False,
        "message": "Duplicate Transaction Reference",
        "meta": {"nextStep": "Try and create the Transaction or Charge with a new reference"},
        "type": "validation_error",
        "code": "duplicate_reference",
        "errorCodeMappingNotFound": False,
    }


def test_unpaid_transaction_is_abandoned(paystack: Client) -> None:
    paystack.checkout()

    data = paystack.verified()

    assert (data["status"], data["paid_at"], data["authorization"]) == ("abandoned", None, {})


def test_unknown_reference_is_a_validation_error(paystack: Client) -> None:
    answer = paystack.verify("nope")

    assert answer.status_code == 400
    assert answer.json()["code"] == "transaction_not_found"
    assert answer.json()["message"] == "Transaction reference not found."


def test_paid_transaction_is_verified_in_full(paystack: Client) -> None:
    paystack.checkout()
    paystack.control("/paystack/pay", reference="ref-1")

    data = paystack.verified()

    assert (data["status"], data["amount"], data["currency"], data["fees"]) == (
        "success",
        1000,
        "USD",
        38,
    )
    assert data["authorization"]["reusable"] is True
    assert data["id"] > 2**32
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["paid_at"])


def test_mobile_money_cannot_be_charged_again(paystack: Client) -> None:
    paystack.checkout(currency="KES", amount=65000, channels=["mobile_money"])
    paystack.control("/paystack/pay", reference="ref-1")

    data = paystack.verified()

    assert (data["channel"], data["authorization"]["reusable"]) == ("mobile_money", False)


def test_metadata_keep_their_types_only_in_a_string(paystack: Client) -> None:
    paystack.checkout(reference="as-string", metadata=json.dumps({"a": 1}))
    paystack.checkout(reference="as-object", metadata={"a": 1})

    assert paystack.verified("as-string")["metadata"] == {"a": 1}
    assert paystack.verified("as-object")["metadata"] == {"a": "1"}


def test_listing_filters_and_pages(paystack: Client) -> None:
    for number in range(5):
        paystack.checkout(reference=f"r{number}")
    for number in range(3):
        paystack.control("/paystack/pay", reference=f"r{number}")

    page = paystack.list(status="success", perPage=2, page=2)
    first = paystack.list(use_cursor="true", perPage=3)
    second = paystack.list(use_cursor="true", perPage=3, next=first["meta"]["next"])

    assert [row["reference"] for row in page["data"]] == ["r0"]
    assert page["meta"] == {
        "total": 3,
        "total_volume": 3000,
        "skipped": 2,
        "perPage": 2,
        "page": 2,
        "pageCount": 2,
    }
    assert [row["reference"] for row in first["data"] + second["data"]] == [
        "r4",
        "r3",
        "r2",
        "r1",
        "r0",
    ]
    assert second["meta"]["next"] is None
    assert paystack.list(**{"from": "2999-01-01"})["data"] == []


def test_transaction_is_fetched_by_its_number(paystack: Client) -> None:
    paystack.checkout()
    number = paystack.verified()["id"]

    found = paystack.http.get(f"{paystack.base}/transaction/{number}", timeout=PATIENCE_S)
    missing = paystack.http.get(f"{paystack.base}/transaction/1", timeout=PATIENCE_S)

    assert found.json()["data"]["reference"] == "ref-1"
    assert (missing.status_code, missing.json()["message"]) == (404, "Transaction not found")


def test_calls_are_recorded_as_received(paystack: Client) -> None:
    paystack.checkout(amount=4321)

    (call,) = paystack.recorded("/calls", endpoint="initialize")

    assert (json.loads(call["body"])["amount"], call["status"]) == (4321, 200)


# The checkout page


def test_paying_returns_to_the_callback_with_both_names_of_the_reference(paystack: Client) -> None:
    page = paystack.checkout(callback_url="https://app.example.com/back?keep=1&empty=")
    shown = requests.get(page, timeout=PATIENCE_S).text

    answer = paystack.press(page, "pay")

    assert all(
        text in shown
        for text in ("SANDBOX", "$10.00", "ada@example.com", 'id="pay"', 'id="decline"')
    )
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert parts.netloc + parts.path == "app.example.com/back"
    wanted = {"keep": ["1"], "empty": [""], "trxref": ["ref-1"], "reference": ["ref-1"]}
    assert parse_qs(parts.query, keep_blank_values=True) == wanted
    assert paystack.verified()["status"] == "success"


def test_first_decline_can_be_tried_again(paystack: Client) -> None:
    page = paystack.checkout(callback_url="https://app.example.com/back")

    answer = paystack.press(page, "decline")

    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert "declined" in requests.get(page, timeout=PATIENCE_S).text
    assert paystack.verified()["status"] == "abandoned"
    paystack.press(page, "pay")
    assert paystack.verified()["status"] == "success"


def test_second_decline_is_final(paystack: Client) -> None:
    page = paystack.checkout(callback_url="https://app.example.com/back")
    paystack.press(page, "decline")

    answer = paystack.press(page, "decline")

    assert answer.headers["location"].startswith("https://app.example.com/back?trxref=ref-1")
    data = paystack.verified()
    assert (data["status"], data["gateway_response"]) == ("failed", "Declined")


def test_cancelling_goes_to_the_cancel_action(paystack: Client) -> None:
    metadata = json.dumps({"cancel_action": "https://app.example.com/cancel"})
    page = paystack.checkout(callback_url="https://app.example.com/back", metadata=metadata)
    plain = paystack.checkout(callback_url="https://app.example.com/back", reference="ref-2")

    assert paystack.press(page, "cancel").headers["location"] == "https://app.example.com/cancel"
    assert (
        paystack.press(plain, "cancel")
        .headers["location"]
        .startswith("https://app.example.com/back?")
    )
    assert paystack.verified()["status"] == "abandoned"


def test_finished_payment_cannot_be_paid_again(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    page = paystack.checkout()
    paystack.press(page, "pay")
    merchant.next_event()

    answer = paystack.press(page, "pay")

    assert (answer.status_code, "This payment is complete" in answer.text) == (200, True)
    assert len(paystack.all_deliveries_of("ref-1")) == 1


def test_page_escapes_what_the_merchant_sent(paystack: Client) -> None:
    page = paystack.checkout(email='"<script>alert(1)</script>"@example.com')

    assert "<script>" not in requests.get(page, timeout=PATIENCE_S).text


def test_unknown_access_code_has_a_page_too(paystack: Client) -> None:
    answer = requests.get(f"{paystack.base}/checkout/nope", timeout=PATIENCE_S)

    assert (answer.status_code, "not valid" in answer.text) == (404, True)


# Webhooks


def test_webhook_is_signed_over_the_exact_bytes(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout(metadata=json.dumps({"a": 1}))

    paystack.control("/paystack/pay", reference="ref-1")
    body, signature = merchant.next_event()

    assert signature == hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()
    event = json.loads(body)
    assert b'": ' not in body
    assert event["event"] == "charge.success"
    assert (event["data"]["reference"], event["data"]["status"], event["data"]["amount"]) == (
        "ref-1",
        "success",
        1000,
    )
    assert (event["data"]["plan"], event["data"]["metadata"]) == ({}, {"a": 1})


def test_webhook_is_retried_until_it_is_accepted(paystack: Client, merchant: Merchant) -> None:
    merchant.statuses = [500, 302]
    paystack.control(
        "/paystack/settings", webhook_url=merchant.url, retry_delays_s=[0.01, 0.01, 0.01]
    )
    paystack.checkout()

    paystack.control("/paystack/pay", reference="ref-1")
    bodies = {merchant.next_event()[0] for _ in range(3)}

    assert len(bodies) == 1
    rows = paystack.deliveries(lambda rows: len(rows) == 3 and rows[-1]["status"] is not None)
    assert [(row["attempt"], row["status"]) for row in rows] == [(1, 500), (2, 302), (3, 200)]


@pytest.mark.parametrize(("tags", "events"), [("+duplicate", 3), ("+nowebhook", 0), ("", 1)])
def test_tags_decide_how_many_webhooks_leave(
    paystack: Client, merchant: Merchant, tags: str, events: int
) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout(email=f"ada{tags}@example.com")

    paystack.control("/paystack/pay", reference="ref-1")

    rows = paystack.all_deliveries_of("ref-1")
    assert len(rows) == events == len({row["id"] for row in rows})


def test_first_webhook_arrives_before_the_redirect(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    page = paystack.checkout(email="ada+firstwebhook@example.com")

    paystack.press(page, "pay")

    assert paystack.recorded("/deliveries")[0]["status"] == 200


def test_late_webhook_leaves_after_the_redirect(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url, late_webhook_s=0.3)
    page = paystack.checkout(email="ada+latewebhook@example.com")

    paystack.press(page, "pay")
    merchant.next_event()

    [delivery] = paystack.recorded("/deliveries")
    paid_at = datetime.fromisoformat(paystack.verified()["paid_at"])
    assert delivery["sent_at"] - paid_at.timestamp() >= 0.3


def test_webhook_can_be_suppressed_and_sent_again(paystack: Client, merchant: Merchant) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout()
    paystack.control("/paystack/pay", reference="ref-1", webhook=False)
    assert paystack.recorded("/deliveries") == []

    rows = paystack.control("/paystack/deliver", reference="ref-1", times=4).json()

    assert [row["status"] for row in rows] == [200] * 4
    assert merchant.received.qsize() == 4


def test_tampered_webhook_does_not_match_its_signature(
    paystack: Client, merchant: Merchant
) -> None:
    paystack.control("/paystack/settings", webhook_url=merchant.url)
    paystack.checkout()

    paystack.control("/paystack/deliver", reference="ref-1", tamper=True)
    body, signature = merchant.next_event()

    assert signature != hmac.new(SECRET.encode(), body, hashlib.sha512).hexdigest()


# Misbehaviour


@pytest.mark.parametrize(
    ("tag", "amount", "currency"),
    [("underpay", 999, "USD"), ("overpay", 1038, "USD"), ("wrongcurrency", 1000, "KES")],
)
def test_tags_change_what_was_paid(paystack: Client, tag: str, amount: int, currency: str) -> None:
    paystack.checkout(email=f"ada+{tag}@example.com")
    paystack.control("/paystack/pay", reference="ref-1")

    data = paystack.verified()

    assert (data["amount"], data["currency"], data["requested_amount"]) == (amount, currency, 1000)


@pytest.mark.parametrize(
    ("tag", "metadata"),
    [
        ("metadata0", 0),
        ("metadatanull", None),
        ("metadataempty", ""),
        ("metadatastring", '{"a":1}'),
    ],
)
def test_tags_change_the_shape_of_metadata(paystack: Client, tag: str, metadata: object) -> None:
    paystack.checkout(email=f"ada+{tag}@example.com", metadata=json.dumps({"a": 1}))

    assert paystack.verified()["metadata"] == metadata


def test_slow_tag_keeps_the_caller_waiting(paystack: Client) -> None:
    paystack.control("/paystack/settings", slow_s=0.2)

    assert paystack.initialize(email="ada+slow@example.com").elapsed.total_seconds() >= 0.2


def test_faults_meet_the_next_calls_only(paystack: Client) -> None:
    paystack.checkout()
    paystack.control("/paystack/faults", endpoint="verify", times=2, status=429)

    statuses = [paystack.verify().status_code for _ in range(3)]

    assert statuses == [429, 429, 200]


def test_faults_that_have_not_happened_can_be_called_off(paystack: Client) -> None:
    paystack.checkout()
    paystack.control("/paystack/faults", endpoint="verify", times=2, status=500)

    first = paystack.verify()
    paystack.http.delete(f"{paystack.control_base}/paystack/faults", timeout=PATIENCE_S)

    assert (first.status_code, paystack.verify().status_code) == (500, 200)


def test_rate_limit_is_worded_as_documented(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="list", status=429)

    page = paystack.list()

    assert (page["message"], page["code"]) == ("Rate limit exceeded!", "rate_limited")


def test_dropped_call_has_no_answer(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="initialize", drop=True)

    with pytest.raises(requests.ConnectionError):
        paystack.initialize()

    assert paystack.verify().status_code == 400


def test_fault_after_the_work_leaves_the_outcome_unknown(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="initialize", drop=True, after=True)

    with pytest.raises(requests.ConnectionError):
        paystack.initialize()

    assert paystack.verified()["status"] == "abandoned"
    assert paystack.initialize().json()["code"] == "duplicate_reference"


def test_hanging_call_ends_when_the_caller_gives_up(paystack: Client) -> None:
    paystack.control("/paystack/faults", endpoint="verify", hang=True)

    with pytest.raises(requests.ReadTimeout):
        paystack.http.get(f"{paystack.base}/transaction/verify/ref-1", timeout=(PATIENCE_S, 0.2))
    wait_until(lambda: paystack.recorded("/calls", endpoint="verify"))

    assert paystack.verify().status_code == 400


def test_failed_payment_stays_failed(paystack: Client) -> None:
    paystack.checkout()

    failed = paystack.control("/paystack/pay", reference="ref-1", outcome="failed")
    again = paystack.control("/paystack/pay", reference="ref-1")

    assert (failed.json()["status"], again.status_code) == ("failed", 409)


@pytest.mark.parametrize(
    ("path", "order", "status"),
    [
        ("/paystack/pay", {"reference": "nope"}, 404),
        ("/paystack/deliver", {"reference": "nope"}, 409),
        ("/paystack/faults", {"endpoint": "nope"}, 400),
        ("/paystack/faults", {"endpoint": "verify", "times": 0}, 400),
        ("/paystack/settings", {"nope": 1}, 400),
        ("/paystack/settings", {"slow_s": "soon"}, 400),
        ("/nope", {}, 404),
    ],
)
def test_control_orders_are_checked(
    paystack: Client, path: str, order: dict[str, Any], status: int
) -> None:
    assert paystack.control(path, **order).status_code == status


# The process


def test_process_ends_cleanly_when_asked() -> None:
    sandbox = SandboxProcess.start()
    assert requests.get(f"{sandbox.base_url}/healthz", timeout=PATIENCE_S).json() == {
        "status": "ok"
    }

    assert sandbox.stop() == 0


def test_process_ends_even_while_a_call_hangs() -> None:
    sandbox = SandboxProcess.start()
    client = Client(sandbox)
    client.control("/paystack/faults", endpoint="verify", hang=True)
    with pytest.raises(requests.ReadTimeout):
        client.http.get(f"{client.base}/transaction/verify/x", timeout=(PATIENCE_S, 0.1))
    client.control("/paystack/faults", endpoint="list", hang=True)

    def wait_for_the_end() -> None:
        with pytest.raises(requests.ConnectionError):
            requests.get(
                f"{client.base}/transaction", headers=client.http.headers, timeout=PATIENCE_S
            )

    waiting = threading.Thread(target=wait_for_the_end)
    waiting.start()
    wait_until(lambda: client.recorded("/calls", endpoint="list"))

    assert sandbox.stop() == 0

    waiting.join(PATIENCE_S)
    client.http.close()


def test_secret_key_can_be_chosen() -> None:
    with SandboxProcess.start("--paystack-secret", "sk_test_other") as other:
        client = Client(other)
        assert client.initialize().status_code == 401
        client.http.headers["authorization"] = "Bearer sk_test_other"
        assert client.initialize().status_code == 200
        client.http.close()
