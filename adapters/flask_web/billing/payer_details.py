"""What a provider asks of a payer before a payment goes on: a code, mostly.

What is typed goes to the provider once. It is neither stored nor logged, and a code is not
written back into the form either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint, jsonify, redirect, request, url_for
from flask import session as cookie
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response

from adapters.flask_web.billing import phone
from adapters.flask_web.billing.mobile_money import document, network_of
from adapters.flask_web.billing.payments import NOT_TAKEN, payment_page
from adapters.flask_web.context import services
from adapters.flask_web.web.account import account, allowed
from adapters.flask_web.web.error_answers import wants_json
from adapters.flask_web.web.session import person
from adapters.flask_web.web.throttle import PAYER_DETAILS_PER_PERSON, throttle
from creditcore.domain.access import Action
from creditcore.domain.errors import (
    InvalidRequestError,
    NothingAskedError,
    PurchaseNotFoundError,
)
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.purchases import Purchase

blueprint = Blueprint("payer_details", __name__, url_prefix="/api/checkout")

_FIELDS = {
    PayerDetail.OTP: ("otp",),
    PayerDetail.PHONE: ("phone",),
    PayerDetail.BIRTHDAY: ("birthday",),
    PayerDetail.ADDRESS: ("address", "city", "state", "zip_code"),
}
_NAMES = {"address": "street", "city": "city", "state": "state or county", "zip_code": "post code"}
_CODE = re.compile(r"[A-Za-z0-9]{3,12}")
_FIRST_BIRTHDAY = date(1900, 1, 1)
_LONGEST = 100


@blueprint.post("/<reference>/answer")
@allowed(Action.BUY_CREDITS)
def answer(reference: str) -> Response | tuple[Any, ...]:
    """Pass on what a payment of one's own asks for, in the fields that ``asks_for`` names.

    ``{"otp"}``, ``{"phone"}``, ``{"birthday": "1990-12-31"}`` or ``{"address", "city", "state",
    "zip_code"}``. The answer is the payment: it asks for the same once more where the provider
    did not take what was typed, and is as it was where it asked for nothing.
    """
    purchase = _own(reference)
    try:
        given = _read(purchase, _sent())
        throttle().count(PAYER_DETAILS_PER_PERSON, "payer-details", person().id)
        told = services().payments.mobile_money.answer(account().id, reference, given)
    except NothingAskedError:
        # The second click: nothing is sent, and the buyer sees what the first one led to.
        return jsonify(document(_own(reference))) if wants_json() else _page_of(reference)
    except (InvalidRequestError, TooManyRequests) as error:
        if wants_json():
            raise
        return _asked_again(purchase, error)
    if wants_json():
        return jsonify(document(told))
    if told.asks_for is given.detail:
        cookie[NOT_TAKEN] = reference
    return _page_of(reference)


def _page_of(reference: str) -> Response:
    return redirect(url_for("payments.show", reference=reference), code=303)


def _own(reference: str) -> Purchase:
    with services().transactions.begin() as tx:
        purchase = tx.purchases.find(reference)
    if purchase.owner_id != account().id:
        raise PurchaseNotFoundError(reference)
    return purchase


def _sent() -> Mapping[str, object]:
    if not request.is_json:
        return {name: text for name, text in request.form.items() if name != "csrf_token"}
    try:
        body = request.get_json(silent=True)
    except RecursionError:
        # Brackets thousands deep: the parser gives up, and so do we.
        body = None
    return body if isinstance(body, dict) else {}


def _read(purchase: Purchase, sent: Mapping[str, object]) -> PayerAnswer:
    """Read what is asked for now.

    Raises:
        InvalidRequestError: Something else was sent, or it cannot be right.
        NothingAskedError: Nothing is asked for.
    """
    detail = purchase.awaits_detail(services().clock.now())
    if detail is None or not detail.may_be_typed:
        raise NothingAskedError
    names = _FIELDS[detail]
    if set(sent) != set(names):
        raise InvalidRequestError(f"Send {' and '.join(names)} as text, and nothing else.")
    fields = {name: _text(sent[name], name) for name in names}
    match detail:
        case PayerDetail.OTP:
            fields["otp"] = _code(fields["otp"])
        case PayerDetail.PHONE:
            fields["phone"] = _phone(purchase, fields["phone"])
        case PayerDetail.BIRTHDAY:
            fields["birthday"] = _birthday(fields["birthday"])
        case _:
            for name, text in fields.items():
                if not text:
                    raise InvalidRequestError(f"Give the {_NAMES[name]}.", param=name)
    return PayerAnswer(detail, fields)


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise InvalidRequestError(f"This is text of {_LONGEST} signs at most.", param=name)
    return value.strip()


def _code(text: str) -> str:
    # Messages write codes in groups.
    code = text.replace(" ", "").replace("-", "")
    if not _CODE.fullmatch(code):
        raise InvalidRequestError("Type the code: 3 to 12 digits or letters.", param="otp")
    return code


def _phone(purchase: Purchase, text: str) -> str:
    network = network_of(
        purchase.offer.price.currency, purchase.payer.network if purchase.payer else ""
    )
    return phone.parse(text, network).e164


def _birthday(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not _FIRST_BIRTHDAY <= day < services().clock.now().date():
        raise InvalidRequestError(
            "Give your date of birth as year, month and day: 1990-12-31.", param="birthday"
        )
    return day.isoformat()


def _asked_again(
    purchase: Purchase, error: InvalidRequestError | TooManyRequests
) -> tuple[Any, ...]:
    if isinstance(error, TooManyRequests):
        page = payment_page(purchase, {"form": str(error.description)})
        return page, 429, error.get_headers()
    return payment_page(purchase, {error.param or "form": str(error)}), 400
