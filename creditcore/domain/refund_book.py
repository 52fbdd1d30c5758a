"""One purchase and everything that went back of it, worked on in one database transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from creditcore.domain.activity import PAYMENT_PROVIDER, SYSTEM, Act, Activity, Actor
from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.books import Books
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.jobs import storable_text
from creditcore.domain.money import ZERO, Credits, Money
from creditcore.domain.purchases import Purchase, PurchaseState
from creditcore.domain.refunds import (
    Refund,
    RefundKind,
    RefundState,
    ReportedRefund,
    credits_due,
    grant_references,
    restore,
    reverse,
)


@dataclass(slots=True)
class RefundBook:
    """A working copy of one purchase, everything that went back of it, and its wallet.

    Attributes:
        purchase: Locked, and paid.
        refunds: All of this purchase, by our id.
        books: With the wallet locked, and what the purchase granted among the transfers.
        changed: Refunds to write, by id.
    """

    purchase: Purchase
    refunds: dict[str, Refund]
    books: Books
    at: datetime
    changed: dict[str, Refund] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)

    @property
    def paid(self) -> Money:
        """What the payer paid.

        Raises:
            InvalidRequestError: Nothing was paid.
        """
        if self.purchase.paid is None or self.purchase.paid.minor_units <= 0:
            raise InvalidRequestError(
                f"Payment {self.purchase.reference} is {self.purchase.state}: "
                "there is nothing to give back."
            )
        return self.purchase.paid

    @property
    def refunded(self) -> Money:
        """What went back, or is on its way."""
        total = sum(refund.amount.minor_units for refund in self._in_force())
        return Money(total, self.paid.currency)

    @property
    def granted(self) -> Credits:
        """What the purchase put into the wallet."""
        granted = (
            self.books.transfers.get(name) for name in grant_references(self.purchase.reference)
        )
        return sum((transfer.amount for transfer in granted if transfer), ZERO)

    @property
    def reversed(self) -> Credits:
        """What its refunds have taken back."""
        return sum((refund.credits for refund in self._in_force()), ZERO)

    def request(
        self, refund_id: str, amount: Money | None, *, reason: str, actor: Actor = SYSTEM
    ) -> Refund:
        """Begin a refund, taking its credits before any money moves.

        All that is left goes back where no amount is given.

        Raises:
            InvalidRequestError: More than is left, nothing, or the wrong currency.
        """
        left = self.paid - self.refunded
        wanted = left if amount is None else amount
        if wanted.currency != left.currency:
            raise InvalidRequestError(
                f"The payment was made in {left.currency}, not in {wanted.currency}.",
                param="amount",
            )
        if left.minor_units <= 0:
            raise InvalidRequestError(f"All of {self.paid} went back already.", param="amount")
        if not 0 < wanted.minor_units <= left.minor_units:
            raise InvalidRequestError(
                f"Of {self.paid}, {left} can still go back; {wanted} cannot.", param="amount"
            )
        begun = self._begin(
            Refund(
                id=refund_id,
                purchase=self.purchase.reference,
                wallet_id=self.purchase.wallet_id,
                amount=wanted,
                reason=reason,
                created_at=self.at,
                updated_at=self.at,
            )
        )
        self._log(Act.REFUND_REQUESTED, begun, actor, reason)
        return begun

    def fail(self, refund: Refund, why: str) -> Refund:
        """End a refund that the provider refused, or never heard of."""
        failed = self._move(refund, RefundState.FAILED, refund.amount, why=why)
        self._log(Act.REFUND_FAILED, failed, PAYMENT_PROVIDER, why)
        return failed

    def apply(self, reports: Sequence[ReportedRefund], *, new_id: Callable[[], str]) -> None:
        """Bring the refunds to what the provider says: in any order, any number of times.

        What the provider leaves out stays as it is. What ended stays ended, so that an
        older report which comes later changes nothing; only money that did go back after
        all counts again.
        """
        for report in sorted(reports, key=lambda report: report.provider_id):
            if report.amount.currency != self.paid.currency:
                self._alert(
                    f"refund_currency:{report.provider_id}",
                    Severity.CRITICAL,
                    "A refund is in another currency",
                    f"{report.amount} of a payment of {self.paid} went back. No credits were "
                    "reversed; decide by hand.",
                )
                continue
            known = self._match(report)
            if known is None:
                self._begin_at_provider(report, new_id())
            elif not _is_stale(known, report):
                named = replace(known, provider_id=report.provider_id)
                self._move(named, report.state, report.amount, why=report.message)

    def give_up_unheard(self, *, requested_before: datetime) -> None:
        """End what was requested long ago and the provider does not know: it was never made."""
        for refund in list(self.refunds.values()):
            if refund.state is RefundState.REQUESTED and refund.created_at <= requested_before:
                self.fail(refund, "The payment provider never heard of it.")

    def touch(self) -> None:
        """Note that everything under way was looked after, so that others come next."""
        for refund in self.refunds.values():
            if refund.is_under_way:
                self.changed[refund.id] = replace(refund, updated_at=self.at)

    def _match(self, report: ReportedRefund) -> Refund | None:
        ours = [refund for refund in self.refunds.values() if refund.kind is report.kind]
        for refund in ours:
            if refund.provider_id == report.provider_id:
                return refund
        unnamed = sorted(
            (refund for refund in ours if not refund.provider_id),
            key=lambda refund: (refund.created_at, refund.id),
        )
        for refund in unnamed:
            if refund.id in report.note:
                return refund
        # A provider that forgets the note: the oldest of this amount that was asked for.
        alike = (refund for refund in unnamed if refund.amount == report.amount)
        return next((refund for refund in alike if refund.in_force), None)

    def _begin_at_provider(self, report: ReportedRefund, refund_id: str) -> None:
        if report.kind is RefundKind.REFUND:
            self._alert(
                f"refund_elsewhere:{report.provider_id}",
                Severity.WARNING,
                "A refund was made at the payment provider",
                f"{report.amount} of payment {self.purchase.reference} is being refunded, and was "
                "not asked for here. The credits are reversed as if it had been.",
            )
        begun = self._begin(
            Refund(
                id=refund_id,
                purchase=self.purchase.reference,
                wallet_id=self.purchase.wallet_id,
                amount=report.amount,
                kind=report.kind,
                state=report.state,
                provider_id=report.provider_id,
                reason=report.note or report.message,
                by_provider=True,
                created_at=self.at,
                updated_at=self.at,
            )
        )
        is_refund = report.kind is RefundKind.REFUND
        act = Act.REFUND_BEGUN_ELSEWHERE if is_refund else Act.PAYMENT_DISPUTED
        self._log(act, begun, PAYMENT_PROVIDER, begun.reason)

    def _begin(self, refund: Refund) -> Refund:
        others = [other.kind for other in self._in_force()]
        if others and (refund.kind is RefundKind.DISPUTE or RefundKind.DISPUTE in others):
            self._alert(
                f"refund_and_dispute:{self.purchase.reference}",
                Severity.CRITICAL,
                "A payment is both refunded and disputed",
                f"Payment {self.purchase.reference}: look whether the same money goes back twice.",
            )
        if refund.in_force:
            refund = self._take(refund)
        return self._keep(refund)

    def _move(self, refund: Refund, state: RefundState, amount: Money, *, why: str) -> Refund:
        before = self.refunds[refund.id]
        moved = replace(refund, state=state, amount=amount)
        if moved == before:
            return before
        if before.in_force and (not moved.in_force or amount != before.amount):
            self._give_back(before)
            moved = replace(moved, credits=ZERO)
        self.refunds[refund.id] = moved
        if not moved.in_force:
            self._share_anew()
        if moved.in_force and (not before.in_force or amount != before.amount):
            moved = self._take(moved)
        return self._keep(replace(moved, updated_at=self.at), why=why)

    def _share_anew(self) -> None:
        """Let those in force take what is due for them together, where they do not.

        Where more was to go back than was paid, the later ones had found too little left.
        """
        shares = self._in_force()
        due = credits_due(self.granted, self.paid, self.refunded)
        if abs((due - self.reversed).microcredits) <= len(shares):
            return
        for refund in shares:
            self._give_back(refund)
            del self.refunds[refund.id]
        for refund in shares:
            self.changed[refund.id] = self._take(refund)

    def _take(self, refund: Refund) -> Refund:
        self.refunds.pop(refund.id, None)
        due = credits_due(self.granted, self.paid, self.refunded + refund.amount)
        refund = replace(refund, credits=max(ZERO, due - self.reversed), turns=refund.turns + 1)
        self.refunds[refund.id] = refund
        wallet = self.books.wallet(refund.wallet_id)
        self.books.post(
            reverse(
                wallet,
                refund.credits,
                reference=refund.reference,
                at=self.at,
                note=f"{refund.amount} went back",
            )
        )
        owed = self.books.wallet(refund.wallet_id).owed
        if owed > wallet.owed:
            self._alert(
                f"owed:{refund.reference}",
                Severity.WARNING,
                "A wallet owes credits",
                f"{refund.amount} of payment {self.purchase.reference} went back after the credits "
                f"had been spent. Wallet {wallet.id} owes {owed} credits, and spends nothing until "
                "a purchase pays them or an operator clears them.",
            )
        return refund

    def _give_back(self, refund: Refund) -> None:
        self.books.post(
            restore(
                self.books.wallet(refund.wallet_id),
                refund.credits,
                reference=refund.reference,
                at=self.at,
                note=f"{refund.amount} did not go back",
            )
        )

    def _keep(self, refund: Refund, *, why: str = "") -> Refund:
        self.refunds[refund.id] = self.changed[refund.id] = refund
        self._announce(refund, why)
        if self.purchase.state in (PurchaseState.PAID, PurchaseState.REVERSED):
            gone = self.refunded >= self.paid
            state = PurchaseState.REVERSED if gone else PurchaseState.PAID
            self.purchase = replace(self.purchase, state=state)
        return refund

    def _announce(self, refund: Refund, why: str) -> None:
        told = _ANNOUNCEMENTS.get((refund.kind, refund.state))
        if told is not None:
            severity, subject, consequence = told
            self._alert(
                f"{refund.kind}_{refund.state}:{refund.id}:{refund.turns}",
                severity,
                subject,
                f"{refund.amount} of {self.purchase.reference}. {consequence} {why}".strip(),
            )

    def _in_force(self) -> list[Refund]:
        return [refund for refund in self.refunds.values() if refund.in_force]

    def _log(self, act: Act, refund: Refund, actor: Actor, reason: str) -> None:
        self.activities.append(
            Activity(
                actor=actor,
                act=act,
                target=f"payment:{self.purchase.reference}",
                person_id=self.purchase.owner_id,
                after={
                    "refund": refund.id,
                    "amount": str(refund.amount),
                    "credits": str(refund.credits),
                    "reason": storable_text(reason),
                },
                at=self.at,
            )
        )

    def _alert(self, key: str, severity: Severity, subject: str, message: str) -> None:
        self.alerts.append(
            Alert(key=key, severity=severity, subject=subject, message=message, at=self.at)
        )


_ANNOUNCEMENTS = {
    (RefundKind.REFUND, RefundState.FAILED): (
        Severity.WARNING,
        "A refund did not reach the payer",
        "The credits it had taken were given back.",
    ),
    (RefundKind.REFUND, RefundState.NEEDS_ATTENTION): (
        Severity.CRITICAL,
        "A refund waits for the payer's bank details",
        "Give them on the provider's dashboard, or it never arrives.",
    ),
    (RefundKind.DISPUTE, RefundState.PENDING): (
        Severity.CRITICAL,
        "A payer disputes a payment",
        "Answer on the provider's dashboard; unanswered it is lost. Its credits are reversed.",
    ),
    (RefundKind.DISPUTE, RefundState.PROCESSED): (
        Severity.WARNING,
        "A dispute is lost",
        "The money is gone, and the credits stay reversed.",
    ),
    (RefundKind.DISPUTE, RefundState.FAILED): (
        Severity.INFO,
        "A dispute is won",
        "The credits it had taken were given back.",
    ),
}


def _is_stale(known: Refund, report: ReportedRefund) -> bool:
    if not known.provider_id:
        # The first that the provider says of it, whatever was believed before.
        return False
    if known.state is RefundState.FAILED:
        return report.state is not RefundState.PROCESSED
    under_way = (RefundState.PENDING, RefundState.NEEDS_ATTENTION)
    return known.state is RefundState.PROCESSED and report.state in under_way
