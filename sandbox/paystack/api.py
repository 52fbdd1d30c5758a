"""Paystack's HTTP API, and its hosted checkout."""

from __future__ import annotations

import hmac
import time
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import orjson
from werkzeug.wrappers import Request, Response

from sandbox.connection import Connection, ConnectionDropped
from sandbox.fault_queue import FaultQueue
from sandbox.paystack.cards import Cards
from sandbox.paystack.charges import Charges, charge_document, checked_document
from sandbox.paystack.checkout import Checkout
from sandbox.paystack.disputes import Disputes
from sandbox.paystack.errors import (
    PaystackError,
    failure,
    invalid,
    invalid_key,
    unknown_charge,
    unknown_reference,
    unknown_transaction,
)
from sandbox.paystack.faults import Fault
from sandbox.paystack.initialization import Initialization
from sandbox.paystack.quirks import Quirk
from sandbox.paystack.refunds import Refunds
from sandbox.paystack.settings import Settings
from sandbox.paystack.settlements import Settlements
from sandbox.paystack.transactions import Transaction, Transactions
from sandbox.paystack.webhooks import Webhooks
from sandbox.routing import Router, json_answer

MAX_CALLS_REMEMBERED = 10_000
MAX_ROWS_PER_PAGE = 100


class Paystack:
    """The stand-in as a WSGI application, mounted under ``/paystack``."""

    def __init__(self, *, secret_key: str, webhook_url: str | None) -> None:
        """Start an integration without transactions."""
        self.settings = Settings(webhook_url=webhook_url)
        self.transactions = Transactions()
        self.refunds = Refunds(self.transactions)
        self.disputes = Disputes(self.transactions)
        self.faults = FaultQueue[Fault]()
        self.webhooks = Webhooks(secret_key, self.settings)
        self.calls: deque[dict[str, Any]] = deque(maxlen=MAX_CALLS_REMEMBERED)
        self._webhook_url = webhook_url
        self._secret_key = secret_key.encode()
        checkout = Checkout(self.transactions, self.webhooks)
        self._settlements = Settlements(self.transactions)
        self._cards = Cards(self.transactions, self.webhooks)
        self.charges = Charges(self.transactions, self.webhooks, self.settings)
        self._router = Router(
            [
                ("POST", "/transaction/initialize", self._api("initialize", self._initialize)),
                ("GET", "/transaction/verify/<path:reference>", self._api("verify", self._verify)),
                ("POST", "/charge", self._api("charge", self._charge)),
                (
                    "POST",
                    "/charge/submit_<any(otp,phone,birthday,address,pin):step>",
                    self._api("submit", self._submit),
                ),
                (
                    "GET",
                    "/charge/<path:reference>",
                    self._api("check_charge", self._check_charge),
                ),
                ("GET", "/transaction", self._api("list", self._list)),
                ("GET", "/transaction/<int:transaction_id>", self._api("fetch", self._fetch)),
                ("POST", "/refund", self._api("refund", self._refund)),
                ("GET", "/refund", self._api("refunds", self.refunds.listing)),
                (
                    "GET",
                    "/refund/<int:refund_id>",
                    self._api("refunds", lambda _, refund_id: self.refunds.fetch(refund_id)),
                ),
                (
                    "POST",
                    "/transaction/charge_authorization",
                    self._api(
                        "charge_authorization",
                        lambda request: self._cards.charge(_body(request), request),
                    ),
                ),
                (
                    "POST",
                    "/customer/authorization/deactivate",
                    self._api("deactivate", lambda request: self._cards.deactivate(_body(request))),
                ),
                ("GET", "/settlement", self._api("settlements", self._settlements.listing)),
                (
                    "GET",
                    "/settlement/<int:settlement_id>/transactions",
                    self._api("settlements", self._settlements.transactions),
                ),
                ("GET", "/dispute", self._api("disputes", self.disputes.listing)),
                (
                    "GET",
                    "/dispute/<int:dispute_id>",
                    self._api("disputes", lambda _, dispute_id: self.disputes.fetch(dispute_id)),
                ),
                (
                    "GET",
                    "/dispute/transaction/<int:number>",
                    self._api("disputes", lambda _, number: self.disputes.of_transaction(number)),
                ),
                ("GET", "/checkout/<access_code>", checkout.show),
                ("POST", "/checkout/<access_code>", checkout.act),
            ],
            error=lambda status, message: PaystackError(status, message).answer(),
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._router(environ, start_response)

    def reset(self) -> None:
        """Forget transactions, calls, deliveries, faults and changed settings."""
        self.transactions.clear()
        self.refunds.clear()
        self.disputes.clear()
        self._cards.clear()
        self.charges.clear()
        self.webhooks.clear()
        self.faults.clear()
        self.calls.clear()
        fresh = Settings(webhook_url=self._webhook_url)
        self.settings.change({name: getattr(fresh, name) for name in Settings.__slots__})

    def _api(self, endpoint: str, handler: Callable[..., Response]) -> Callable[..., Response]:
        """Wrap a handler in what all endpoints share: key check, faults, errors, a call record."""

        def answer(request: Request, **variables: Any) -> Response:
            call: dict[str, Any] = {
                "endpoint": endpoint,
                "at": time.time(),
                "path": request.path,
                "query": request.args.to_dict(),
                "body": request.get_data(as_text=True),
                "status": None,
                "ended_at": None,
            }
            self.calls.append(call)
            try:
                self._check_key(request)
                fault = self.faults.take(endpoint)
                if fault and not fault.after:
                    _suffer(fault, request)
                response = handler(request, **variables)
                if fault and fault.after:
                    _suffer(fault, request)
            except PaystackError as error:
                response = error.answer()
            finally:
                call["ended_at"] = time.time()
            call["status"] = response.status_code
            return response

        return answer

    def _check_key(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            key.strip().encode(), self._secret_key
        ):
            raise invalid_key()

    def _initialize(self, request: Request) -> Response:
        checkout = Initialization.from_body(_body(request))
        transaction = self.transactions.add(checkout, ip_address=request.remote_addr or "127.0.0.1")
        self._linger_over(transaction)
        data = {
            "authorization_url": f"{request.root_url}checkout/{transaction.access_code}",
            "access_code": transaction.access_code,
            "reference": transaction.reference,
        }
        return json_answer({"status": True, "message": "Authorization URL created", "data": data})

    def _refund(self, request: Request) -> Response:
        refund = self.refunds.create(_body(request))
        self.webhooks.send("refund.pending", refund.transaction, refund.as_event())
        return json_answer(
            {
                "status": True,
                "message": "Refund has been queued for processing",
                "data": refund.as_created(),
            }
        )

    def _charge(self, request: Request) -> Response:
        ip_address = request.remote_addr or "127.0.0.1"
        transaction = self.charges.begin(_body(request), ip_address=ip_address)
        self._linger_over(transaction)
        return _attempted(transaction, request)

    def _submit(self, request: Request, step: str) -> Response:
        transaction = self.charges.submit(step, _body(request))
        return _attempted(transaction, request)

    def _check_charge(self, request: Request, reference: str) -> Response:
        transaction = self.transactions.find(reference)
        if transaction is None:
            raise unknown_charge()
        return json_answer(
            {
                "status": True,
                "message": "Reference check successful",
                "data": checked_document(transaction, page_root=request.root_url),
            }
        )

    def _verify(self, _request: Request, reference: str) -> Response:
        transaction = self.transactions.find(reference)
        if transaction is None:
            raise unknown_reference()
        self._linger_over(transaction)
        return json_answer(
            {
                "status": True,
                "message": "Verification successful",
                "data": transaction.as_verified(),
            }
        )

    def _fetch(self, _request: Request, transaction_id: int) -> Response:
        transaction = self.transactions.find_by_id(transaction_id)
        if transaction is None:
            raise unknown_transaction()
        return json_answer(
            {"status": True, "message": "Transaction retrieved", "data": transaction.as_verified()}
        )

    def _list(self, request: Request) -> Response:
        matches = _matching(request)
        rows = [transaction for transaction in self.transactions if matches(transaction)]
        per_page = min(max(1, _number(request, "perPage", 50)), MAX_ROWS_PER_PAGE)
        meta: dict[str, Any]
        if request.args.get("use_cursor") == "true":
            # Numbers only fall from the first row to the last, so a row's number is a cursor.
            after = _number(request, "next", 0)
            remaining = [row for row in rows if not after or row.id < after]
            page = remaining[:per_page]
            more = len(remaining) > per_page
            meta = {
                "next": str(page[-1].id) if more else None,
                "previous": None,
                "perPage": per_page,
            }
        else:
            number = max(1, _number(request, "page", 1))
            page = rows[(number - 1) * per_page : number * per_page]
            meta = {
                "total": len(rows),
                "total_volume": sum(row.amount for row in rows),
                "skipped": (number - 1) * per_page,
                "perPage": per_page,
                "page": number,
                "pageCount": -(-len(rows) // per_page),
            }
        data = [row.as_listed() for row in page]
        return json_answer(
            {"status": True, "message": "Transactions retrieved", "data": data, "meta": meta}
        )

    def _linger_over(self, transaction: Transaction) -> None:
        if Quirk.SLOW in transaction.quirks:
            time.sleep(self.settings.slow_s)


def _suffer(fault: Fault, request: Request) -> None:
    """Let the fault happen to the call."""
    connection = Connection.of(request.environ)
    if connection.closes_within(fault.delay_s):
        raise ConnectionDropped
    if fault.hang:
        connection.wait_until_closed()
        raise ConnectionDropped
    if fault.drop:
        raise ConnectionDropped
    if fault.status is not None:
        raise failure(fault.status)


def _attempted(transaction: Transaction, request: Request) -> Response:
    return json_answer(
        {
            "status": True,
            "message": "Charge attempted",
            "data": charge_document(transaction, page_root=request.root_url),
        }
    )


def _body(request: Request) -> dict[str, Any]:
    """Return the fields of a JSON or form-encoded body; both are accepted."""
    if request.mimetype == "application/x-www-form-urlencoded":
        return request.form.to_dict()
    try:
        value = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise invalid("Invalid JSON in the request body") from error
    if not isinstance(value, dict):
        raise invalid("The request body must be an object")
    return value


def _number(request: Request, name: str, default: int) -> int:
    text = request.args.get(name, "")
    return int(text) if text.isdecimal() else default


def _matching(request: Request) -> Callable[[Transaction], bool]:
    """Return the filter that the query of a listing describes."""
    query = request.args
    since, until = _instant(query.get("from")), _instant(query.get("to"))
    wanted: list[tuple[str, Callable[[Transaction], str]]] = [
        ("status", lambda transaction: transaction.status),
        ("channel", lambda transaction: transaction.checkout.channel),
        ("amount", lambda transaction: str(transaction.amount)),
        # A CUS_ code silently gives no rows in the real service too.
        ("customer", lambda transaction: str(transaction.customer_id)),
    ]

    def matches(transaction: Transaction) -> bool:
        if since and transaction.created_at < since:
            return False
        if until and transaction.created_at > until:
            return False
        return all(query.get(name) in {None, "", shown(transaction)} for name, shown in wanted)

    return matches


def _instant(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise invalid(f"Invalid date: {text}") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
