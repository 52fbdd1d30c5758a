"""Compare what the provider collected with what we credited, day by day.

Both lists are streamed: memory holds one page of each and the references of one day, however
many payments there are. What is safe to mend is mended by the steps that webhooks take too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol

from creditcore.domain.alerts import Alert, Severity
from creditcore.domain.errors import PaymentGatewayUnavailableError
from creditcore.domain.jobs import Job, every
from creditcore.domain.lease import RetryPolicy
from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment, PaymentStatus, Purchase, PurchaseState
from creditcore.domain.reconciliation import Finding, FindingKind, compare
from creditcore.domain.reviews import Review
from creditcore.ports.clock import Clock
from creditcore.ports.payment_list import ListedPayment, PaymentList
from creditcore.ports.payments import PaymentGateway
from creditcore.ports.store_ports import HasPurchases, HasRefunds, HasReviews
from creditcore.ports.transactions import AlertsTransaction, Begins
from creditcore.usecases.payments.compare_payouts import (
    PAID_OUT_WITHIN,
    ComparePayouts,
    PayoutTotals,
)
from creditcore.usecases.payments.confirm_payment import ConfirmPayment
from creditcore.usecases.payments.follow_refunds import FollowRefunds
from creditcore.usecases.payments.payment_pages import credited_between, pages

_DAY = timedelta(days=1)
_MARGIN = timedelta(hours=1)
"""How far the provider's clock and ours may differ on when a payment began."""

RECONCILE = "reconcile_payments"
"""The kind of the nightly job."""

EVERY_NIGHT = every(RECONCILE, _DAY, offset=timedelta(hours=1))
"""At one o'clock UTC: four in Nairobi, two in Lagos."""

NIGHTLY_POLICY = RetryPolicy(lease=timedelta(hours=2))
"""A long list takes its time, and the provider limits requests."""

MAX_FINDINGS_KEPT = 1000


class ReconcilePaymentsTransaction(
    AlertsTransaction, HasPurchases, HasRefunds, HasReviews, Protocol
):
    """What reconciling payments reads and writes."""


@dataclass(slots=True)
class Totals:
    """What was collected in one currency on one day, in minor units."""

    payments: int = 0
    gross: int = 0
    fees: int = 0


@dataclass(slots=True)
class Reconciliation:
    """What a reconciliation has found so far.

    Attributes:
        compared: How many payments of the provider's were compared.
        counts: Findings by kind, all of them.
        amounts: What they add up to, by kind and currency.
        findings: The first thousand.
        totals: What the provider collected, by day and currency.
        settled: What the provider paid out, by day and currency, and what of it is in our books.
    """

    since: datetime
    until: datetime
    compared: int = 0
    counts: Counter[FindingKind] = field(default_factory=Counter)
    amounts: Counter[tuple[FindingKind, str]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    totals: dict[tuple[date, str], Totals] = field(default_factory=dict)
    settled: dict[tuple[date, str], PayoutTotals] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left for a person."""
        return not any(count for kind, count in self.counts.items() if kind.is_open)

    def note(self, finding: Finding) -> None:
        """Count a finding, and keep it if there is room."""
        self.counts[finding.kind] += 1
        if finding.amount is not None:
            self.amounts[finding.kind, finding.amount.currency] += finding.amount.minor_units
        if len(self.findings) < MAX_FINDINGS_KEPT:
            self.findings.append(finding)

    def count(self, row: ListedPayment) -> None:
        """Add a payment that was made to the totals of its day."""
        payment = row.payment
        if payment is None or payment.status not in (
            PaymentStatus.SUCCEEDED,
            PaymentStatus.REVERSED,
        ):
            return
        key = (row.created_at.date(), payment.amount.currency)
        totals = self.totals.setdefault(key, Totals())
        totals.payments += 1
        totals.gross += payment.amount.minor_units
        totals.fees += row.fees.minor_units if row.fees else 0


def nothing(_: object) -> None:
    """Take no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcilePayments:
    """Reconcile a period with the provider's list. Reads, and confirms what was missed."""

    transactions: Begins[ReconcilePaymentsTransaction]
    payments: ConfirmPayment
    refunds: FollowRefunds
    gateway: PaymentGateway
    payment_list: PaymentList
    clock: Clock

    def reconcile(
        self,
        *,
        since: datetime,
        until: datetime,
        payouts_since: datetime | None = None,
        found: Callable[[Finding], None] = nothing,
        progress: Callable[[Reconciliation], None] = nothing,
    ) -> Reconciliation:
        """Compare every payment that began in a period; return what does not agree.

        Args:
            since: The beginning of the period.
            until: Its end, which does not belong to it.
            payouts_since: Payouts are compared from then on: the beginning, if left out.
            found: Is told each finding at once.
            progress: Is told after each day.

        Disputes and payouts that cannot be read are findings: a key may be refused them and
        nothing else, and what the rest has shown must not be lost with them.

        Raises:
            PaymentGatewayUnavailableError: The provider broke off; run it again.
        """
        result = Reconciliation(since, until)

        def note(finding: Finding | None) -> None:
            if finding is not None:
                result.note(finding)
                found(finding)

        start = since
        while start < until:
            end = min(start + _DAY, until)
            listed = self._compare_theirs(start, end, result, note)
            for purchase in credited_between(self.transactions, start, end):
                if purchase.reference not in listed:
                    note(self._missing(purchase))
            progress(result)
            start = end
        try:
            for reference in self.payment_list.disputed(since=since, until=until):
                note(self._follow_dispute(reference))
        except PaymentGatewayUnavailableError as error:
            note(_unread("disputes", error))

        self._compare_payouts(payouts_since or since, result, note)
        return result

    def reconcile_nightly(self, _job: Job) -> None:
        """Reconcile the last days, as a job.

        Raises:
            PaymentGatewayUnavailableError: The provider broke off; to be tried again.
        """
        self.reconcile_latest()

    def reconcile_latest(self, *, days: int = 7) -> Reconciliation:
        """Reconcile the last days, and raise an alert where something is open.

        Payouts are compared for longer: until what they hold is due.
        """
        now = self.clock.now()
        since = now - days * _DAY
        result = self.reconcile(since=since, until=now, payouts_since=since - PAID_OUT_WITHIN)
        if not result.is_clean:
            kinds = ", ".join(
                f"{count} {kind.replace('_', ' ')}"
                for kind, count in sorted(result.counts.items())
                if kind.is_open
            )
            with self.transactions.begin() as tx:
                tx.alerts.add(
                    Alert(
                        key=f"reconcile:{now:%Y-%m-%d}",
                        severity=Severity.CRITICAL,
                        subject="Payments do not agree with the provider's",
                        message=(
                            f"In the last {days} days: {kinds}. "
                            "Run 'flask --app wsgi reconcile' to see each."
                        ),
                        at=now,
                    )
                )
                tx.commit()
        return result

    def _compare_theirs(
        self,
        start: datetime,
        end: datetime,
        result: Reconciliation,
        note: Callable[[Finding | None], None],
    ) -> set[str]:
        """Compare one day of the provider's list; return which of our references it has."""
        listed: set[str] = set()
        rows = self.payment_list.payments(since=start - _MARGIN, until=end + _MARGIN)
        for page in pages(rows):
            with self.transactions.begin() as tx:
                ours = tx.purchases.among([row.reference for row in page])
            listed.update(ours)
            for row in page:
                # What lies in the margin belongs to the day before or after.
                if start <= row.created_at < end:
                    result.compared += 1
                    result.count(row)
                    note(self._examine(row, ours.get(row.reference)))
        return listed

    def _compare_payouts(
        self,
        payouts_since: datetime,
        result: Reconciliation,
        note: Callable[[Finding | None], None],
    ) -> None:
        """Compare what the provider paid out, after its payments were."""

        def examine_paid_out(row: ListedPayment, purchase: Purchase | None) -> None:
            # The others have just been compared.
            if row.created_at < result.since:
                note(self._examine(row, purchase))

        payouts = ComparePayouts(
            transactions=self.transactions, payment_list=self.payment_list, clock=self.clock
        )
        try:
            result.settled = payouts.compare(
                since=payouts_since, until=result.until, note=note, examine=examine_paid_out
            ).totals
        except PaymentGatewayUnavailableError as error:
            note(_payouts_unread(error))

    def _examine(self, row: ListedPayment, purchase: Purchase | None) -> Finding | None:
        if row.payment is None:
            return Finding(
                kind=FindingKind.UNREADABLE,
                reference=row.reference,
                amount=None,
                detail="The provider's row cannot be read.",
            )
        finding = compare(purchase, row.payment)
        if finding is None:
            if purchase is not None and purchase.lacks_receipt_code and row.payment.receipt_code:
                self.payments.apply(row.payment)
            return None
        match finding.kind:
            case FindingKind.UNKNOWN_REFERENCE | FindingKind.UNDER_REVIEW | FindingKind.PAID_TWICE:
                return None if self._is_decided(finding.kind, row.payment) else finding
            case FindingKind.NOT_CREDITED:
                return self._credit(finding)
            case FindingKind.REVERSED_THERE:
                return self._follow(finding)
            case _:
                return finding

    def _is_decided(self, kind: FindingKind, payment: Payment) -> bool:
        """Whether a person has decided about a payment; one without a question is kept."""
        now = self.clock.now()
        review = (
            Review.of_duplicate(payment, at=now)
            if kind is FindingKind.PAID_TWICE
            else Review.of_unknown(payment, at=now)
        )
        with self.transactions.begin() as tx:
            known = tx.reviews.find(review.reference)
            if known is None and payment.status is PaymentStatus.SUCCEEDED:
                tx.reviews.open(review)
                tx.commit()
        return known is not None and known.is_closed

    def _credit(self, finding: Finding) -> Finding:
        purchase = self.payments.confirm(finding.reference)
        match purchase.state:
            case PurchaseState.PAID:
                told = f"It was paid and not credited; {purchase.offer.credits} credits now are."
                return replace(finding, kind=FindingKind.CREDITED, detail=told)
            case PurchaseState.UNDER_REVIEW:
                told = f"It waits for a decision now: {purchase.review_reason}."
                return replace(finding, kind=FindingKind.UNDER_REVIEW, detail=told)
            case _:
                return finding

    def _follow(self, finding: Finding) -> Finding | None:
        before = self._gone(finding.reference)
        self.refunds.follow(finding.reference)
        if not self._gone(finding.reference):
            try:
                self.refunds.follow_disputes(finding.reference)
            except PaymentGatewayUnavailableError as error:
                return _unread(finding.reference, error, amount=finding.amount)
        gone = self._gone(finding.reference)
        if gone is None or not gone.minor_units:
            return finding
        if gone == before:
            return None
        told = f"{gone} went back; the credits are reversed now."
        return replace(finding, kind=FindingKind.REFUND_FOLLOWED, amount=gone, detail=told)

    def _follow_dispute(self, reference: str) -> Finding | None:
        """Follow a dispute whose webhook was lost: what is not answered in time is lost too."""
        with self.transactions.begin() as tx:
            is_ours = bool(tx.purchases.among([reference]))
        if not is_ours:
            return None
        before = self._gone(reference)
        try:
            self.refunds.follow_disputes(reference)
        except PaymentGatewayUnavailableError as error:
            return _unread(reference, error)
        gone = self._gone(reference)
        # Less than before: a dispute was won, and its credits are back.
        if gone is None or (before is not None and gone.minor_units <= before.minor_units):
            return None
        return Finding(
            kind=FindingKind.DISPUTE_FOLLOWED,
            reference=reference,
            amount=gone,
            detail=f"Its payer disputes it: {gone} is going back; the credits are reversed now.",
        )

    def _gone(self, reference: str) -> Money | None:
        """Return how much of a payment went back by our own books."""
        with self.transactions.begin() as tx:
            in_force = [row.amount for row in tx.refunds.of(reference) if row.in_force]
        if not in_force:
            return None
        return Money(sum(amount.minor_units for amount in in_force), in_force[0].currency)

    def _missing(self, purchase: Purchase) -> Finding | None:
        """Ask about a purchase that was paid and is not in the provider's list."""
        payment = self.gateway.verify(purchase.reference)
        if payment is None:
            return Finding(
                kind=FindingKind.MISSING_THERE,
                reference=purchase.reference,
                amount=purchase.paid,
                detail="Credited here; the provider never heard of it.",
            )
        row = ListedPayment(
            reference=purchase.reference, payment=payment, created_at=purchase.created_at
        )
        return self._examine(row, purchase)


def _payouts_unread(error: PaymentGatewayUnavailableError) -> Finding:
    return Finding(
        kind=FindingKind.PAYOUTS_UNREAD,
        reference="payouts",
        amount=None,
        detail=f"Payouts could not be compared: {error}",
    )


def _unread(
    reference: str, error: PaymentGatewayUnavailableError, *, amount: Money | None = None
) -> Finding:
    return Finding(
        kind=FindingKind.DISPUTES_UNREAD,
        reference=reference,
        amount=amount,
        detail=f"Disputes could not be read: {error}",
    )
