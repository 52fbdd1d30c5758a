"""``POST /charge`` with mobile money, and how the charge goes on without being asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from sandbox.paystack.errors import invalid, unknown_charge
from sandbox.paystack.initialization import (
    Initialization,
    read_amount,
    read_currency,
    read_email,
    read_metadata,
    read_reference,
)
from sandbox.paystack.phones import DISPLAY_TEXT, Answer, answer_of, code_of
from sandbox.paystack.settings import Settings
from sandbox.paystack.transactions import AlreadyFinishedError, Transaction, Transactions
from sandbox.paystack.webhooks import Webhooks

NETWORKS = {
    "KES": frozenset({"mpesa", "atl", "mptill", "mpesa_offline"}),
    "GHS": frozenset({"mtn", "atl", "vod"}),
    "XOF": frozenset({"mtn", "orange", "wave"}),
}

STEP_TEXTS = {
    "otp": "Please enter the code that was sent to you. On Telecel, dial *110# to see one",
    "phone": "Please enter the phone number of your account",
    "birthday": "Please enter your date of birth",
    "address": "Please enter your billing address",
    "pin": "Please enter your PIN",
    "page": "Please open the link and confirm the payment",
}
STEP_FIELDS = {
    "otp": ("otp",),
    "phone": ("phone",),
    "birthday": ("birthday",),
    "address": ("address", "city", "state", "zip_code"),
    "pin": ("pin",),
}


class Charges:
    """Asks phones to pay."""

    def __init__(self, transactions: Transactions, webhooks: Webhooks, settings: Settings) -> None:
        """Take where charges are kept, who announces them, and how long phones take."""
        self._transactions = transactions
        self._webhooks = webhooks
        self._settings = settings
        self._next_steps: tuple[str, ...] = ()

    def begin(self, body: Mapping[str, Any], *, ip_address: str) -> Transaction:
        """Ask a phone, and let it answer by itself.

        Raises:
            PaystackError: A field is missing or refused, or the reference was used before.
        """
        order, provider, phone = read_charge(body)
        answer = answer_of(phone, order.currency, provider)
        if answer.first_status == "refused":
            raise invalid(answer.message, "invalid_params")
        transaction = self._transactions.add(order, ip_address=ip_address)
        transaction.phone, transaction.provider = phone, provider
        transaction.charge_status = answer.first_status
        if answer.first_status == "failed":
            transaction.end_charge(answer.message)
        elif answer.first_status == "success":
            transaction.pay()
            self._webhooks.announce(transaction)
        elif self._next_steps or answer.steps:
            transaction.steps = list(self._next_steps or answer.steps)
            self._next_steps = ()
            transaction.display_text = STEP_TEXTS[transaction.steps[0]]
        else:
            self._ring(transaction, answer)
        return transaction

    def ask_next(self, *steps: str) -> None:
        """Let the next charge that waits for its payer want these typed first."""
        self._next_steps = steps

    def submit(self, step: str, body: Mapping[str, Any]) -> Transaction:
        """Take what a payer typed; a wrong code ends most charges, and any is taken once.

        Raises:
            PaystackError: The charge is unknown or does not ask for this, or a field is missing.
        """
        transaction = self._transactions.find(str(body.get("reference")))
        if transaction is None:
            raise unknown_charge()
        if transaction.status != "abandoned" or transaction.steps[:1] != [step]:
            raise invalid("Charge is not waiting for this", "invalid_transaction_status")
        for name in STEP_FIELDS[step]:
            if not isinstance(body.get(name), str) or not body[name]:
                raise invalid(f"{name} is required", "missing_params")
        answer = answer_of(transaction.phone, transaction.currency, transaction.provider)
        if step == "otp" and body["otp"] != code_of(transaction.phone):
            if answer.is_patient:
                transaction.display_text = f"{body['otp']} is not the code, try again"
            else:
                transaction.end_charge(f"Invalid OTP {body['otp']}")
            return transaction
        transaction.steps.pop(0)
        if transaction.steps:
            transaction.display_text = STEP_TEXTS[transaction.steps[0]]
        else:
            self._ring(transaction, answer)
        return transaction

    def clear(self) -> None:
        """Forget what the next charge should ask for."""
        self._next_steps = ()

    def _ring(self, transaction: Transaction, answer: Answer) -> None:
        transaction.display_text = DISPLAY_TEXT
        threading.Thread(target=self._answer, args=(transaction, answer), daemon=True).start()

    def _answer(self, transaction: Transaction, answer: Answer) -> None:
        """Do what the phone does, when it does it."""
        if answer.outcome == "never":
            return
        waits = answer.outcome in ("nobody", "timeout")
        time.sleep(self._settings.phone_timeout_s if waits else self._settings.phone_answer_s)
        try:
            if answer.outcome == "success":
                transaction.pay()
                self._webhooks.announce(transaction)
            else:
                transaction.end_charge(answer.message, timed_out=waits)
        except AlreadyFinishedError:
            # A person decided it by hand meanwhile.
            return


def charge_document(transaction: Transaction, *, page_root: str) -> dict[str, Any]:
    """Return the answer to ``POST /charge``: a few fields, or all of a finished one."""
    if transaction.status in ("success", "failed", "reversed"):
        return transaction.as_verified()
    document = {
        "reference": transaction.reference,
        "status": transaction.charge_status,
        "display_text": transaction.display_text,
    }
    if transaction.steps[:1] == ["page"]:
        page = f"{page_root}checkout/{transaction.access_code}"
        return document | {"status": "open_url", "url": page}
    if transaction.steps:
        return document | {"status": f"send_{transaction.steps[0]}"}
    return document


def checked_document(transaction: Transaction, *, page_root: str) -> dict[str, Any]:
    """Return the answer to ``GET /charge/:reference``."""
    if transaction.status == "abandoned" and transaction.steps:
        return charge_document(transaction, page_root=page_root)
    if transaction.status == "abandoned":
        return {"reference": transaction.reference, "status": "pending"}
    document = transaction.as_verified()
    if transaction.timed_out:
        document["status"] = "timeout"
    return document


def read_charge(body: Mapping[str, Any]) -> tuple[Initialization, str, str]:
    """Return what is asked for, and the network and number of the phone.

    Raises:
        PaystackError: A field is missing or refused.
    """
    currency = read_currency(body)
    money = body.get("mobile_money")
    if not isinstance(money, dict):
        raise invalid("Charge type not supported here: send mobile_money", "invalid_params")
    provider, phone = money.get("provider"), money.get("phone", money.get("account"))
    if provider not in NETWORKS.get(currency, frozenset()):
        raise invalid(
            "No active channel to process transaction. Please contact merchant", "no_active_channel"
        )
    if not isinstance(phone, str) or not phone:
        raise invalid("phone is required", "missing_params")
    order = Initialization(
        email=read_email(body),
        amount=read_amount(body, currency),
        currency=currency,
        reference=read_reference(body),
        callback_url=None,
        channel="mobile_money",
        metadata=read_metadata(body),
        cancel_url=None,
    )
    return order, str(provider), phone
