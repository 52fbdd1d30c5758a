"""Switches and records of the Paystack stand-in, under ``/control/paystack``.

==================  ================================================================================
GET  /              a page for a person, with all of this as buttons (see ``desk``)
GET  /transactions  every transaction as verify shows it, newest first; ``?reference=`` for one
GET  /calls         every API call as received, the answer's status, and when it ended, with an
                    answer or without; ``?endpoint=`` for one kind
GET  /deliveries    every webhook attempt, oldest first; ``?reference=`` for one transaction
GET  /settings      the settings; POST changes some of them (see ``settings``)
POST /pay           ``{"reference", "outcome": success|failed|abandoned|reversed, "webhook": true}``
POST /deliver       ``{"reference", "times": 1, "tamper": false}``: resend the event, all at once
POST /refunds       ``{"id", "status": processing|processed|failed|needs-attention}``: move a refund
                    on, with its event; ``{"transaction", "amount"}`` instead begins one, as on
                    the dashboard
POST /disputes      ``{"reference", "refund_amount"}`` opens a dispute, with its event; ``{"id"}``
                    reminds of it, and with ``"resolution"`` (see ``disputes``)
                    decides it
POST /faults        ``{"endpoint", "times": 1, "status", "delay_s", "hang", "drop", "after"}``;
                    DELETE forgets those that have not happened yet
==================  ================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import BadRequest, Conflict, NotFound
from werkzeug.wrappers import Request, Response

from sandbox.paystack.api import Paystack
from sandbox.paystack.back_office import BackOffice
from sandbox.paystack.desk import Desk
from sandbox.paystack.disputes import RESOLUTIONS
from sandbox.paystack.errors import PaystackError
from sandbox.paystack.faults import ENDPOINTS, Fault
from sandbox.paystack.refunds import STATUSES
from sandbox.paystack.transactions import AlreadyFinishedError, Transaction
from sandbox.routing import Router, control_error, json_answer, json_object

MAX_AT_ONCE = 500


class PaystackControl:
    """The control endpoints as a WSGI application."""

    def __init__(self, paystack: Paystack) -> None:
        """Take the stand-in to control."""
        self._paystack = paystack
        self._back_office = BackOffice(paystack)
        desk = Desk(paystack, self._back_office)
        self._router = Router(
            [
                ("GET", "/", desk.show),
                ("POST", "/", desk.act),
                ("GET", "/transactions", self._transactions),
                ("GET", "/calls", self._calls),
                ("GET", "/deliveries", self._deliveries),
                ("GET", "/settings", self._settings),
                ("POST", "/settings", self._change_settings),
                ("POST", "/pay", self._pay),
                ("POST", "/deliver", self._deliver),
                ("POST", "/refunds", self._refunds),
                ("POST", "/disputes", self._disputes),
                ("POST", "/faults", self._faults),
                ("DELETE", "/faults", self._forget_faults),
            ],
            error=control_error,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._router(environ, start_response)

    def _transactions(self, request: Request) -> Response:
        wanted = request.args.get("reference")
        rows = [
            row.as_verified()
            for row in self._paystack.transactions
            if wanted in {None, row.reference}
        ]
        return json_answer(rows)

    def _calls(self, request: Request) -> Response:
        wanted = request.args.get("endpoint")
        return json_answer(
            [call for call in self._paystack.calls if wanted in {None, call["endpoint"]}]
        )

    def _deliveries(self, request: Request) -> Response:
        return json_answer(self._paystack.webhooks.deliveries(request.args.get("reference")))

    def _settings(self, _request: Request) -> Response:
        return json_answer(asdict(self._paystack.settings))

    def _change_settings(self, request: Request) -> Response:
        try:
            self._paystack.settings.change(json_object(request))
        except (TypeError, ValueError) as error:
            raise BadRequest(str(error)) from error
        return self._settings(request)

    def _pay(self, request: Request) -> Response:
        """Set a payment's outcome as a payer would, without a browser; answer once it is set."""
        order = json_object(request)
        transaction = self._transaction(order)
        outcomes: dict[str, Callable[[], None]] = {
            "success": transaction.pay,
            "failed": transaction.fail,
            "abandoned": transaction.abandon,
            "reversed": transaction.reverse,
        }
        outcome = outcomes.get(str(order.get("outcome", "success")))
        if outcome is None:
            raise BadRequest(f"outcome must be one of {', '.join(outcomes)}.")
        try:
            outcome()
        except AlreadyFinishedError as error:
            raise Conflict(f"The transaction is {transaction.status}.") from error
        if transaction.status == "success" and order.get("webhook", True):
            self._paystack.webhooks.announce(transaction)
        return json_answer(transaction.as_verified())

    def _deliver(self, request: Request) -> Response:
        order = json_object(request)
        times = _count(order, most=MAX_AT_ONCE)
        if not self._paystack.settings.webhook_url:
            raise Conflict("No webhook URL is set.")
        deliveries = self._paystack.webhooks.send_again(
            self._transaction(order), times=times, tampered=bool(order.get("tamper"))
        )
        return json_answer([asdict(delivery) for delivery in deliveries])

    def _refunds(self, request: Request) -> Response:
        """Begin a refund on the dashboard, or let one go on."""
        order = json_object(request)
        tells = bool(order.get("webhook", True))
        if "id" not in order:
            try:
                refund = self._back_office.begin_refund(order, tells=tells)
            except PaystackError as error:
                raise BadRequest(str(error)) from error
            return json_answer(refund.as_listed())
        known = self._paystack.refunds.find(order["id"])
        if known is None:
            raise NotFound("No refund has this id.")
        if order.get("status") not in STATUSES:
            raise BadRequest(f"status must be one of {', '.join(STATUSES)}.")
        self._back_office.move_refund(known, str(order["status"]), tells=tells)
        return json_answer(known.as_listed())

    def _disputes(self, request: Request) -> Response:
        """Open a dispute, remind of it, or decide it."""
        order = json_object(request)
        office, tells = self._back_office, bool(order.get("webhook", True))
        if "id" not in order:
            dispute = office.open_dispute(
                self._transaction(order), order.get("refund_amount"), tells=tells
            )
            return json_answer(dispute.as_shown())
        known = self._paystack.disputes.find(order["id"])
        if known is None:
            raise NotFound("No dispute has this id.")
        if "resolution" not in order:
            office.remind(known, tells=tells)
        elif order["resolution"] not in RESOLUTIONS:
            raise BadRequest(f"resolution must be one of {', '.join(RESOLUTIONS)}.")
        else:
            office.resolve(known, str(order["resolution"]), tells=tells)
        return json_answer(known.as_shown())

    def _faults(self, request: Request) -> Response:
        order = json_object(request)
        endpoint = str(order.get("endpoint"))
        if endpoint not in ENDPOINTS:
            raise BadRequest(f"endpoint must be one of {', '.join(sorted(ENDPOINTS))}.")
        try:
            fault = Fault.from_order(order)
        except (TypeError, ValueError) as error:
            raise BadRequest(str(error)) from error
        self._paystack.faults.order(endpoint, fault, _count(order, most=10_000))
        return json_answer({"ordered": asdict(fault)})

    def _forget_faults(self, _request: Request) -> Response:
        self._paystack.faults.clear()
        return json_answer({"ordered": None})

    def _transaction(self, order: Mapping[str, Any]) -> Transaction:
        transaction = self._paystack.transactions.find(str(order.get("reference")))
        if transaction is None:
            raise NotFound("No transaction has this reference.")
        return transaction


def _count(order: Mapping[str, Any], *, most: int) -> int:
    times = order.get("times", 1)
    if type(times) is not int or not 1 <= times <= most:
        raise BadRequest(f"times must be a number from 1 to {most}.")
    return times
