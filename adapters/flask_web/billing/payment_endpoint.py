"""The one payment endpoint: the payer's browser comes back, the provider reports."""

from __future__ import annotations

import logging
from functools import partial
from urllib.parse import urlencode

from flask import Flask, current_app, flash, redirect, request
from flask import session as cookie
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response

from adapters.flask_web.context import services, settings
from adapters.flask_web.settings import Settings
from adapters.flask_web.web.throttle import CONFIRM_PER_ADDRESS
from creditcore.domain.errors import PaymentGatewayError, PurchaseNotFoundError
from creditcore.ports.payment_events import PaymentEvent
from creditcore.usecases.payments.payment_inbox import PaymentInbox

_log = logging.getLogger(__name__)


def register(app: Flask, settings: Settings, csrf: CSRFProtect) -> None:
    """Serve the endpoint, also under the address that an earlier system's webhooks used."""
    # The provider has no CSRF token; its signature proves more than one would.
    take = csrf.exempt(receive)
    paths = ["/payments/paystack"]
    if settings.paystack_function_name:
        paths.append(f"/functions/v1/{settings.paystack_function_name}")
    for path in paths:
        app.add_url_rule(path, f"payment_return {path}", come_back, methods=["GET"])
        app.add_url_rule(path, f"payment_webhook {path}", take, methods=["POST"])


def come_back() -> Response:
    """Confirm the payment that the browser speaks of, and show how it stands.

    The visit proves nothing; it only makes us ask the provider earlier than its
    webhook would.
    """
    reference = request.args.get("reference") or request.args.get("trxref") or ""
    current_app.extensions["creditcore.throttle"].count_address(CONFIRM_PER_ADDRESS, "confirm")
    try:
        services().payments.confirmation.confirm(reference)
    except PurchaseNotFoundError:
        flash("We do not know this payment. If you paid, write to support.", "error")
        return redirect(settings().post_payment_redirect_path)
    except PaymentGatewayError as error:
        # The page says that it is being confirmed; webhook and worker will get there.
        _log.warning("payment %s could not be verified on return: %s", reference, error)
    cookie["just_confirmed"] = reference
    query = urlencode({"reference": reference})
    return redirect(f"{settings().post_payment_redirect_path}?{query}")


def receive() -> Response:
    """Take a webhook: 200 means it is safe here, 401 that it is not the provider's.

    No service is asked anything before the answer has left: a provider that waits for it would
    give up, and deliver all the same again and again.
    """
    inbox = services().payments.inbox
    signature = request.headers.get(services().payment_gateway.signature_header)
    event = inbox.receive(request.get_data(cache=False), signature)
    answer = Response(status=200)
    if event is not None:
        answer.call_on_close(partial(_process, inbox, event))
        # The next request on this connection would have to wait for that.
        answer.headers["Connection"] = "close"
    return answer


def _process(inbox: PaymentInbox, event: PaymentEvent) -> None:
    try:
        inbox.process(event)
    except Exception:  # noqa: BLE001 - the answer has left, so its client cannot be told
        _log.exception("webhook about payment %s is left to the worker", event.reference)
