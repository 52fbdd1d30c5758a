"""The only place where minor units become text.

Every filter takes a domain value and returns what a person reads, with its unit.
All arithmetic is on integers, so a page never shows a rounding of a rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask import Flask

from adapters.flask_web.web import times
from creditcore.domain.currencies import CURRENCIES
from creditcore.domain.endings import (
    ANSWERED,
    CLIENT_LEFT,
    CONTRADICTORY_USAGE,
    CREDITS_EXHAUSTED,
    ERRORS_FROM,
    INCREDIBLE_USAGE,
    NOT_MADE,
)
from creditcore.domain.holds import Basis, Hold, HoldState, Outcome
from creditcore.domain.keys import ApiKey
from creditcore.domain.ledger import PlatformAccount, Transfer, TransferKind
from creditcore.domain.money import (
    MICROCREDITS_PER_CREDIT,
    Credits,
    ExchangeRate,
    Money,
    div_floor,
)
from creditcore.domain.pricing import usd_text
from creditcore.domain.purchases import Offer, Purchase, PurchaseState

_MICROCREDITS_PER_DOLLAR = 100 * MICROCREDITS_PER_CREDIT
_DOLLAR_DECIMALS = 8
_MS_PER_SECOND = 1_000
_MS_PER_MINUTE = 60 * _MS_PER_SECOND
_MINUS = "\u2212"
_NO_BREAK = "\u00a0"
_ERRORS = {
    "client_left": "You left before it ended.",
    CREDITS_EXHAUSTED: "The credits ran out, so the answer ends where they did.",
    INCREDIBLE_USAGE: "The provider's count could not be true, so the text was counted.",
    CONTRADICTORY_USAGE: (
        "The text is far more than the provider counted: its answer may have broken off."
    ),
    NOT_MADE: "Our ledger could not be reached, so it did not go to the model.",
    "interrupted": "Our server stopped in the middle of it.",
    "upstream_error": "The model reported an error while it answered.",
    "upstream_rejected": "The model did not take the request.",
    "upstream_timeout": "The model took too long.",
    "upstream_unavailable": "The model could not be reached, or its answer broke off.",
}
"""What the errors mean that are our own; those of a provider are shown in its word."""


class Tone(StrEnum):
    """How a state should feel; each tone is one style of badge."""

    GOOD = "good"
    BUSY = "busy"
    WARN = "warn"
    BAD = "bad"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Status:
    """A state in a person's words.

    Attributes:
        word: One or two words for a badge.
        hint: One sentence on what it means or what to do; empty where nothing needs saying.
    """

    word: str
    tone: Tone
    hint: str = ""


def dollars(amount: Credits) -> str:
    """Return a balance as ``"$20.00"``, rounded down: never more than there is."""
    cents = div_floor(amount.microcredits, MICROCREDITS_PER_CREDIT)
    return _signed(cents, f"${_hundredths(abs(cents))}")


def exact_dollars(amount: Credits) -> str:
    """Return every digit as ``"$0.0000127"``, with two decimals at least."""
    whole, rest = divmod(abs(amount.microcredits), _MICROCREDITS_PER_DOLLAR)
    decimals = f"{rest:0{_DOLLAR_DECIMALS}d}"
    tail = decimals[2:].rstrip("0")
    return _signed(amount.microcredits, f"${whole:,}.{decimals[:2]}{tail}")


def credits_text(amount: Credits) -> str:
    """Return ``"2,000 credits"``, ``"1 credit"`` or ``"0.0123 credits"``, exactly."""
    whole, rest = divmod(abs(amount.microcredits), MICROCREDITS_PER_CREDIT)
    tail = f".{rest:06d}".rstrip("0") if rest else ""
    unit = "credit" if abs(amount.microcredits) == MICROCREDITS_PER_CREDIT else "credits"
    return _signed(amount.microcredits, f"{whole:,}{tail}{_NO_BREAK}{unit}")


def decimal_amount(amount: Money) -> str:
    """Return an amount for programs, without its currency: ``"1290.00"``, ``"650"`` francs."""
    whole, rest = divmod(amount.minor_units, 100)
    return f"{whole}.{rest:02d}" if _decimals(amount.currency) else str(whole)


def amount_text(amount: Money) -> str:
    """Return a whole amount in a sentence: ``"KES 3"``, ``"$2"``; cents where there are some."""
    text = money(amount)
    return text.removesuffix(".00")


def money(amount: Money) -> str:
    """Return ``"$10.00"``, or with its code what is not US dollars: ``"KES 1,290.00"``."""
    digits = _hundredths(abs(amount.minor_units))
    if not _decimals(amount.currency):
        digits = digits.removesuffix(".00")
    symbol = "$" if amount.currency == "USD" else f"{amount.currency}{_NO_BREAK}"
    return _signed(amount.minor_units, f"{symbol}{digits}")


def rate(exchange: ExchangeRate) -> str:
    """Return ``"1 USD = KES 129.50"``, exactly, with two decimals at least."""
    digits = _two_decimals(str(exchange))
    return f"1{_NO_BREAK}{exchange.base} = {exchange.quote}{_NO_BREAK}{digits}"


def offer_summary(offer: Offer) -> str:
    """Return ``"KES 4,787.00 for $74.00 of credit"``."""
    return f"{money(offer.price)} for {dollars(offer.credits)} of credit"


def provider_dollars(units: int) -> str:
    """Return what a provider takes, given in units of 10^-30 USD, as ``"$0.00045"``, exactly."""
    return reported_dollars(usd_text(units))


def reported_dollars(usd: str) -> str:
    """Return exact decimal text in USD as ``"$0.00045"``, with two decimals at least."""
    return f"${_two_decimals(usd)}"


def plain_dollars(amount: Credits) -> str:
    """Return credits as the value of a field for dollars: ``"2"``, ``"2.50"``."""
    whole, cents = divmod(amount.microcredits // MICROCREDITS_PER_CREDIT, 100)
    return f"{whole}.{cents:02d}" if cents else f"{whole}"


def whole_units(amount: Money) -> str:
    """Return the value of a form field: ``"10"`` for $10.00.

    Raises:
        ValueError: There are cents, which the field could not carry.
    """
    whole, rest = divmod(amount.minor_units, 100)
    if rest:
        raise ValueError(f"not a whole amount: {amount}")
    return str(whole)


def tokens(count: int) -> str:
    """Return a count of tokens as ``"1,234"``, where a heading names the unit."""
    return f"{count:,}"


def token_count(count: int) -> str:
    """Return ``"1,234 tokens"`` or ``"1 token"``."""
    return f"{count:,}{_NO_BREAK}{'token' if count == 1 else 'tokens'}"


def duration(milliseconds: int) -> str:
    """Return ``"820 ms"``, ``"2.4 s"`` or ``"1 min 5 s"``, rounded down."""
    if milliseconds < _MS_PER_SECOND:
        return f"{milliseconds}{_NO_BREAK}ms"
    if milliseconds < _MS_PER_MINUTE:
        seconds, tenths = divmod(div_floor(milliseconds, 100), 10)
        return f"{seconds}.{tenths}{_NO_BREAK}s"
    minutes, seconds = divmod(div_floor(milliseconds, _MS_PER_SECOND), 60)
    return f"{minutes}{_NO_BREAK}min {seconds}{_NO_BREAK}s"


def duration_or_dash(milliseconds: int | None) -> str:
    """Return a duration; a dash where there is none, rather than a number that was not measured."""
    return "\u2013" if milliseconds is None else duration(milliseconds)


def merged(said: Mapping[str, str], **more: str) -> dict[str, str]:
    """Return what an address says, with more of it."""
    return {**said, **more}


def call_status(hold: Hold) -> Status:
    """Say how a call went."""
    match hold.state:
        case HoldState.OPEN:
            return Status("Running", Tone.BUSY, "Credits are held for it until it ends.")
        case HoldState.EXPIRED:
            return Status("Expired", Tone.WARN, "It never reported back, so its hold ran out.")
        case HoldState.SETTLED | HoldState.RELEASED:
            return _end_of(hold)


def hold_status(hold: Hold) -> Status:
    """Say what became of the credits that were set aside for a call."""
    match hold.state:
        case HoldState.OPEN:
            return Status("Open", Tone.BUSY, "Credits are set aside for it until it ends.")
        case HoldState.SETTLED:
            hint = "The charge was taken, and the rest of what was set aside given back."
            return Status("Settled", Tone.GOOD, hint)
        case HoldState.RELEASED:
            return Status("Released", Tone.QUIET, "All that was set aside was given back.")
        case HoldState.EXPIRED:
            hint = "The call never reported back, so all that was set aside was given back."
            return Status("Expired", Tone.WARN, hint)


def call_basis(hold: Hold) -> Status:
    """Say what a charge was computed from."""
    if hold.is_open:
        return Status("Not known yet", Tone.BUSY, "It is known once the call has ended.")
    match hold.outcome.basis:
        case Basis.PROVIDER_USAGE:
            hint = "The token counts that the provider reported."
            return Status("Counted by the provider", Tone.GOOD, hint)
        case Basis.COUNTED_OUTPUT:
            hint = (
                "The provider reported no usage that could be true, so the prompt and the text "
                "you got were counted: four bytes, or one piece, to the token."
            )
            return Status("Counted by us", Tone.WARN, hint)
        case Basis.NONE:
            hint = "No usage was reported and no text delivered, so nothing was charged."
            return Status("Nothing to charge for", Tone.QUIET, hint)


def error_words(code: str) -> str:
    """Say in a sentence what went wrong."""
    return _ERRORS.get(code) or _words(code)


def purchase_status(purchase: Purchase) -> Status:
    """Say where a purchase is, and what its buyer can do."""
    match purchase.state:
        case PurchaseState.PENDING:
            return Status("Waiting for payment", Tone.BUSY, "Nothing has been paid yet.")
        case PurchaseState.PAID:
            return Status("Paid", Tone.GOOD)
        case PurchaseState.FAILED:
            return Status("Failed", Tone.BAD, "No credits were added. You can try again.")
        case PurchaseState.UNDER_REVIEW:
            return Status(
                "Under review",
                Tone.WARN,
                "The payment does not match the order. We look at it; you need not pay again.",
            )
        case PurchaseState.REVERSED:
            return Status("Reversed", Tone.QUIET, "The payment went back and so did its credits.")


def key_status(key: ApiKey, now: datetime) -> Status:
    """Say whether a key opens anything."""
    if key.revoked_at is not None:
        return Status("Revoked", Tone.QUIET)
    if key.expires_at is not None and key.expires_at <= now:
        return Status("Expired", Tone.WARN)
    if key.paused_at is not None:
        return Status("Paused", Tone.WARN)
    return Status("Active", Tone.GOOD)


def movement(transfer: Transfer) -> str:
    """Name a movement of credits as its owner would."""
    names = {
        TransferKind.PURCHASE: "Credits bought",
        TransferKind.BONUS: "Credits added with a purchase",
        TransferKind.SIGNUP: "Welcome credits",
        TransferKind.GRANT: "Credits granted",
        TransferKind.CHARGE: "Usage",
        TransferKind.WRITE_OFF: "Written off",
        TransferKind.REVERSAL: "Taken back with a refund",
        TransferKind.RESTORATION: "Given back: no refund was made",
        TransferKind.REPAYMENT: "Debt paid off",
        TransferKind.FORGIVENESS: "Debt cleared",
    }
    if transfer.from_account == PlatformAccount.RECEIVABLE:
        return "Owed after a refund"
    if transfer.to_account == PlatformAccount.RECEIVABLE and transfer.from_account != (
        transfer.wallet_id
    ):
        return "No longer owed"
    return names[transfer.kind]


def movement_amount(transfer: Transfer) -> str:
    """Return the exact amount with its sign, as the wallet felt it: ``"+$20.00"``."""
    amount = exact_dollars(transfer.amount)
    if transfer.wallet_id not in (transfer.from_account, transfer.to_account):
        # A debt that comes or goes: the balance stays as it is.
        return f"({amount})"
    return f"{'+' if transfer.to_account == transfer.wallet_id else _MINUS}{amount}"


def register(app: Flask) -> None:
    """Make the filters known to every template."""
    filters: dict[str, Callable[..., object]] = {
        "dollars": dollars,
        "exact_dollars": exact_dollars,
        "credits": credits_text,
        "money": money,
        "rate": rate,
        "whole_units": whole_units,
        "offer_summary": offer_summary,
        "provider_dollars": provider_dollars,
        "reported_dollars": reported_dollars,
        "tokens": tokens,
        "token_count": token_count,
        "duration": duration,
        "instant": times.instant,
        "clock_time": times.clock_time,
        "date": times.date_text,
        "date_words": times.date_words,
        "date_before": times.date_before,
        "day_before": times.day_before,
        "duration_or_dash": duration_or_dash,
        "merge": merged,
        "microcredits": Credits,
        "day": times.day,
        "call_status": call_status,
        "call_basis": call_basis,
        "hold_status": hold_status,
        "error_words": error_words,
        "purchase_status": purchase_status,
        "key_status": key_status,
        "movement": movement,
        "movement_amount": movement_amount,
    }
    app.jinja_env.filters.update(filters)


def _end_of(hold: Hold) -> Status:
    outcome = hold.outcome
    if outcome.error is not None or outcome.status >= ERRORS_FROM:
        return _fault_in(outcome)
    if hold.state is HoldState.RELEASED:
        return Status("Released", Tone.QUIET, "Nothing was charged.")
    if outcome.basis is Basis.COUNTED_OUTPUT:
        return Status("Done", Tone.GOOD, "No usage was reported: counted from the text.")
    return Status("Done", Tone.GOOD)


def _fault_in(outcome: Outcome) -> Status:
    if outcome.status == CLIENT_LEFT:
        hint = "You left early: charged for what was generated."
        if outcome.basis is Basis.NONE:
            hint = "You left early: nothing was charged."
        return Status("Cancelled", Tone.WARN, hint)
    hint = error_words(outcome.error or f"HTTP {outcome.status}")
    if outcome.error == CREDITS_EXHAUSTED:
        return Status("Cut short", Tone.WARN, hint)
    if outcome.error in ANSWERED and outcome.status < ERRORS_FROM:
        return Status("Done", Tone.GOOD, hint)
    return Status("Failed", Tone.BAD, hint)


def _decimals(currency: str) -> int:
    known = CURRENCIES.get(currency)
    return known.decimals if known else 2


def _signed(number: int, text: str) -> str:
    return f"{_MINUS}{text}" if number < 0 else text


def _hundredths(count: int) -> str:
    whole, rest = divmod(count, 100)
    return f"{whole:,}.{rest:02d}"


def _two_decimals(text: str) -> str:
    whole, _, decimals = text.partition(".")
    return f"{int(whole):,}.{decimals:0<2}"


def _words(code: str) -> str:
    text = code.replace("_", " ")
    return f"{text[:1].upper()}{text[1:]}."
