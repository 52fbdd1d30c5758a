"""What the payment provider does with cards that were saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from creditcore.domain.money import Money
from creditcore.domain.purchases import PaymentStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class CardChargeRequest:
    """What a saved card is to pay.

    Attributes:
        reference: Ours, unique for ever.
        email: The address that the code belongs to.
        code: What charges the card. A secret.
        return_url: Where the payer's browser comes back to, if the bank wants to see them.
    """

    reference: str
    amount: Money
    email: str
    code: str = field(repr=False)
    return_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardCharge:
    """What the provider says of a charge.

    Attributes:
        status: Where it is; a success counts only once it is verified.
        message: Why it failed.
        challenge_url: The page where the holder has to prove who they are; empty where not.
    """

    status: PaymentStatus
    message: str = ""
    challenge_url: str = ""


class CardGateway(Protocol):
    """Charges saved cards. Never called while a database transaction is open."""

    def charge_card(self, request: CardChargeRequest) -> CardCharge:
        """Charge a card.

        Raises:
            PaymentRejectedError: The provider refused; nothing was charged.
            PaymentGatewayUnavailableError: Unknown whether it is charged: verify the reference,
                and send nothing again.
        """

    def forget_card(self, code: str) -> None:
        """Make a code charge nothing any more; one that does so already is no error.

        Raises:
            PaymentGatewayUnavailableError: Unknown whether it still does; ask again.
        """
