"""How a purchase stands, in the words of the person who waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from creditcore.domain.errors import CreditcoreError, PayerRefusedError, PaymentRejectedError
from creditcore.domain.payer_details import PayerDetail
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.ports.payments import FailureReason

_STATUS = {
    PurchaseState.PENDING: "pending",
    PurchaseState.PAID: "paid",
    PurchaseState.FAILED: "failed",
    PurchaseState.UNDER_REVIEW: "review",
    PurchaseState.REVERSED: "failed",
}

# What happened, and what to do next.
_FAILURES: dict[FailureReason, tuple[str, str]] = {
    FailureReason.CANCELLED: (
        "The request was cancelled on the phone.",
        "Send it again when you are ready.",
    ),
    FailureReason.NO_ANSWER: (
        "The request on the phone was not answered.",
        "Check that the phone is on, unlocked and has signal, then send the request again.",
    ),
    FailureReason.WRONG_PIN: (
        "The PIN was not right.",
        "Send the request again and type the PIN of your mobile money account.",
    ),
    FailureReason.WRONG_CODE: (
        "The code was not right, or too old.",
        "Send the request again: a new code comes with it.",
    ),
    FailureReason.TOO_LITTLE_MONEY: (
        "There is not enough money in the account.",
        "Put money in and send the request again, or choose a smaller amount.",
    ),
    FailureReason.ANOTHER_SESSION: (
        "The phone is busy with another payment.",
        "Finish or close that one, wait a minute, then send the request again.",
    ),
    FailureReason.OVER_LIMIT: (
        "The amount is over a limit of the account.",
        "Choose a smaller amount, or ask your network about your limits.",
    ),
    FailureReason.BAD_NUMBER: (
        "The network does not know this number.",
        "Check the number and the network, then send the request again.",
    ),
    FailureReason.BAD_EMAIL: (
        "The payment provider does not take your e-mail address.",
        "Change it under Security, then try again.",
    ),
    FailureReason.BUSY: (
        "The network is busy or has a fault.",
        "Wait a few minutes, then send the request again.",
    ),
    FailureReason.DECLINED: (
        "The payment was declined.",
        "Try another card or another way to pay, or ask your bank.",
    ),
    FailureReason.NEVER_SENT: (
        "The request never reached the payment provider.",
        "Try again.",
    ),
}

# What a payer gave, by the field where it stands; of others it is none of a form of payment.
_GIVEN: dict[FailureReason, str | None] = {
    FailureReason.BAD_NUMBER: "phone",
    FailureReason.BAD_EMAIL: None,
    FailureReason.OVER_LIMIT: None,
}

# What is asked, why, and what to do.
_ASKED: dict[PayerDetail, tuple[str, str, str]] = {
    PayerDetail.OTP: (
        "Enter the code",
        "Your network wants a code before it takes the payment.",
        "It comes as a message, or its menu on your phone shows one.",
    ),
    PayerDetail.PHONE: (
        "Enter your phone number",
        "The payment goes on with the phone number that your account is registered with.",
        "Nothing has been paid yet.",
    ),
    PayerDetail.BIRTHDAY: (
        "Enter your date of birth",
        "The payment goes on with the date of birth that your account is registered with.",
        "Nothing has been paid yet.",
    ),
    PayerDetail.ADDRESS: (
        "Enter your billing address",
        "The payment goes on with the address that your account is registered with.",
        "Nothing has been paid yet.",
    ),
    PayerDetail.PIN: (
        "This way to pay does not work here",
        "It wants your PIN typed on a page, and we never take PINs. Nothing has been paid.",
        "Pay by card, or from a phone of another network.",
    ),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a purchase stands.

    Attributes:
        status: One word for programs: ``pending``, ``paid``, ``failed`` or ``review``.
        title: A few words.
        text: What happened, and what it means for the money.
        next_step: What to do; empty where nothing is to be done.
        may_send_again: Whether a new request cannot lead to paying twice.
    """

    status: str
    title: str
    text: str
    next_step: str = ""
    may_send_again: bool = False

    @property
    def message(self) -> str:
        """Everything in plain words."""
        return f"{self.text} {self.next_step}".strip()


def standing_of(purchase: Purchase, reason: FailureReason, *, now: datetime) -> Standing:
    """Say how a purchase stands.

    Args:
        purchase: As it is stored.
        reason: What the provider's message about a failure means.
        now: Whether the payer can still be expected to answer depends on it.
    """
    status = _STATUS[purchase.state]
    match purchase.state:
        case PurchaseState.PENDING:
            return _pending(purchase, now)
        case PurchaseState.PAID:
            return Standing(status, "Paid", "The payment arrived. The credit can be spent now.")
        case PurchaseState.FAILED:
            return _failed(purchase, reason)
        case PurchaseState.UNDER_REVIEW:
            return Standing(
                status,
                "We need to look at your payment",
                "What arrived does not match what we asked for, so a person decides. Your money "
                "is not lost.",
                f"You need not pay again. Quote {purchase.reference} if you write to us.",
            )
        case PurchaseState.REVERSED:
            return Standing(status, "Reversed", "The payment went back, and so did the credit.", "")


def told_to_payer(error: PaymentRejectedError, reason: FailureReason) -> CreditcoreError:
    """Return what to raise where the provider refuses to begin: what its payer can mend, in words.

    Args:
        error: The refusal.
        reason: What its message means.
    """
    if reason not in _GIVEN:
        return error
    return PayerRefusedError(" ".join(_FAILURES[reason]), param=_GIVEN[reason])


def _pending(purchase: Purchase, now: datetime) -> Standing:
    if purchase.payer is None:
        if purchase.is_resumable(now):
            return Standing(
                "pending",
                "Waiting for your payment",
                "Nothing has been paid yet.",
                "Pay on the provider's page. If you have paid, do not pay again: the credit is "
                "added by itself.",
            )
        return Standing(
            "pending",
            "We are asking about your payment",
            "The payment page may not have opened, so nothing may have been paid.",
            "If you have paid, do not pay again: the credit is added by itself.",
        )
    if asked := purchase.awaits_detail(now):
        return Standing("pending", *_ASKED[asked])
    if purchase.is_resumable(now):
        return Standing(
            "pending",
            "Go on to your network's page",
            "Your network takes this payment on a page of its own. Nothing has been paid yet.",
            "Open it and confirm there; then come back here.",
        )
    if now < purchase.prompt_ends_at:
        return Standing(
            "pending",
            "Check your phone",
            "A payment request is on its way to your phone.",
            "Unlock the phone and enter your PIN there.",
        )
    return Standing(
        "pending",
        "We still ask about your payment",
        "The time to answer on the phone is over, and the network has not told us yet whether "
        "you paid.",
        "Do not pay again: if you paid, the credit is added by itself.",
    )


def _failed(purchase: Purchase, reason: FailureReason) -> Standing:
    text, next_step = _FAILURES.get(reason, ("", "Try again, or pay in another way."))
    if not text:
        said = purchase.review_reason.rstrip(".")
        text = f"The provider says: {said}." if said else "The payment did not go through."
    return Standing(
        "failed",
        "The payment did not go through",
        f"{text} No credit was added.",
        next_step,
        may_send_again=True,
    )
