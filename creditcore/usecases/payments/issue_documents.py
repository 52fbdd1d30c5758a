"""Issue receipts and credit notes, each once, in sequences without gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from creditcore.domain.buyers import BuyerDetails
from creditcore.domain.documents import (
    Document,
    DocumentKind,
    Seller,
    credit_note_of,
    receipt_of,
)
from creditcore.domain.errors import PurchaseNotFoundError, TeamNotFoundError
from creditcore.domain.money import Money
from creditcore.domain.purchases import Purchase
from creditcore.domain.refunds import RefundState
from creditcore.ports.clock import Clock
from creditcore.ports.store_ports import (
    Commits,
    HasDocuments,
    HasPeople,
    HasPurchases,
    HasRefunds,
    HasStatements,
    HasTeams,
)
from creditcore.ports.transactions import Begins
from creditcore.usecases.payments.tell_payers import dollars

_PER_ROUND = 100
_INSTANT = timedelta(microseconds=1)
_LOOKED_BACK = timedelta(days=31)
_ROWS = 500


class IssueDocumentsTransaction(
    HasDocuments, HasPeople, HasPurchases, HasRefunds, HasStatements, HasTeams, Commits, Protocol
):
    """What issuing documents reads and writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueDocuments:
    """Issue what is missing: by the worker soon after, or when its owner asks for it."""

    transactions: Begins[IssueDocumentsTransaction]
    clock: Clock
    seller: Seller

    def issue(self, reference: str, *, owner_id: str | None = None) -> Sequence[Document]:
        """Return the receipt of a purchase and its credit notes, issuing what is missing.

        Raises:
            InvalidRequestError: It is not paid.
            PurchaseNotFoundError: There is no such purchase, or it is another owner's.
        """
        balances = self._balances(reference)
        with self.transactions.begin() as tx:
            purchase = tx.purchases.lock(reference)
            if owner_id is not None and purchase.owner_id != owner_id:
                raise PurchaseNotFoundError(reference)
            if self._issue_missing(tx, purchase, balances):
                tx.commit()
            return tx.documents.of_purchase(reference)

    def issue_due(self) -> int:
        """Issue what is missing of the last month; return for how many purchases."""
        since = self.clock.now() - _LOOKED_BACK
        with self.transactions.begin() as tx:
            waiting = [
                *tx.documents.purchases_without(since=since, limit=_PER_ROUND),
                *tx.documents.refunds_without(since=since, limit=_PER_ROUND),
            ]
        for reference in dict.fromkeys(waiting):
            self.issue(reference)
        return len(waiting)

    def issued(self, *, since: datetime, until: datetime) -> Iterator[Document]:
        """Stream the documents of a period, by kind and number, a page in memory at a time."""
        after = ("", 0)
        while True:
            with self.transactions.begin() as tx:
                page = tx.documents.issued(since=since, until=until, after=after, limit=_ROWS)
            yield from page
            if len(page) < _ROWS:
                return
            after = (page[-1].kind.value, page[-1].number)

    def _balances(self, reference: str) -> Mapping[str, str]:
        """Return the wallet's balance before and after a payment that has no receipt yet.

        Read in a transaction of its own, as of one instant.
        """
        with self.transactions.begin() as tx:
            purchase = tx.purchases.find(reference)
            paid_at = purchase.closed_at
            if paid_at is None or tx.documents.find(DocumentKind.RECEIPT, reference) is not None:
                return {}
        with self.transactions.begin() as tx:
            before = tx.statements.posted_at(purchase.wallet_id, paid_at)
            after = tx.statements.posted_at(purchase.wallet_id, paid_at + _INSTANT)
        return {"balance_before": dollars(before), "balance_after": dollars(after)}

    def _issue_missing(
        self, tx: IssueDocumentsTransaction, purchase: Purchase, balances: Mapping[str, str]
    ) -> bool:
        now = self.clock.now()
        receipt = tx.documents.find(DocumentKind.RECEIPT, purchase.reference)
        is_new = receipt is None
        if receipt is None:
            receipt = receipt_of(
                purchase,
                number=0,
                seller=self.seller,
                buyer=_buyer_of(tx, purchase),
                at=now,
            )
            receipt = _numbered(tx, replace(receipt, details={**receipt.details, **balances}))
        notes = tx.documents.of_purchase(purchase.reference)[1:]
        gone = Money(sum(note.gross.minor_units for note in notes), receipt.gross.currency)
        noted = {note.reference for note in notes}
        for refund in tx.refunds.of(purchase.reference):
            if refund.state is RefundState.PROCESSED and refund.id not in noted:
                note = credit_note_of(refund, receipt, number=0, refunded_before=gone, at=now)
                _numbered(tx, note)
                gone += refund.amount
                is_new = True
        return is_new


def _buyer_of(tx: IssueDocumentsTransaction, purchase: Purchase) -> Mapping[str, str]:
    """Return who bought: a person, or a team and what its receipts name."""
    name, details = "", BuyerDetails()
    if (person := tx.people.find(purchase.owner_id)) is not None:
        name, details = person.name, person.buyer
    else:
        with suppress(TeamNotFoundError):
            team = tx.teams.find(purchase.owner_id)
            name, details = team.name, team.buyer
        payer = tx.people.find_by_email(purchase.email)
        # All or nothing: a company of one with the tax number of the other would be neither.
        if details.is_empty and payer is not None:
            details = payer.buyer
    return {"name": name, "email": purchase.email, **asdict(details)}


def _numbered(tx: IssueDocumentsTransaction, document: Document) -> Document:
    numbered = replace(document, number=tx.documents.next_number(document.kind))
    tx.documents.add(numbered)
    return numbered
