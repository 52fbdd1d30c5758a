"""The payment provider's own account of what it collected and paid out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from creditcore.domain.money import Money
from creditcore.domain.purchases import Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPayment:
    """One row of the provider's list.

    Attributes:
        reference: As the provider has it; perhaps none of ours.
        payment: What the row says; None where it cannot be read.
        created_at: When the provider first heard of it.
        fees: What the provider keeps of it, where the row says so.
    """

    reference: str
    payment: Payment | None
    created_at: datetime
    fees: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """Money that the provider has paid out, or is about to.

    Attributes:
        id: The provider's number of it.
        day: When it is paid out, in UTC.
        status: In the provider's words; ``failed`` where the bank did not take it.
        gross: What was collected; ``net`` is that less fees and deductions.
    """

    id: str
    day: date
    status: str
    gross: Money
    net: Money


class PaymentList(Protocol):
    """Streams what the provider has, however much that is."""

    def payments(self, *, since: datetime, until: datetime) -> Iterator[ListedPayment]:
        """Return every payment that began in a period, in any order.

        Raises:
            PaymentGatewayUnavailableError: The list broke off; what came before is true.
        """

    def disputed(self, *, since: datetime, until: datetime) -> Iterator[str]:
        """Return the references of payments whose dispute began in a period.

        Raises:
            PaymentGatewayUnavailableError: The list broke off; what came before is true.
        """

    def settlements(self, *, since: datetime, until: datetime) -> Iterator[Settlement]:
        """Return the payouts of a period.

        Raises:
            PaymentGatewayUnavailableError: The list broke off; what came before is true.
        """

    def payments_of(self, settlement_id: str) -> Iterator[ListedPayment]:
        """Return every payment that a payout holds; none where the provider does not list them.

        Raises:
            PaymentGatewayUnavailableError: The list broke off; what came before is true.
        """
