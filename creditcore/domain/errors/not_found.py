"""Something was named that does not exist."""

from __future__ import annotations

from creditcore.domain.errors.root import CreditcoreError


class NotFoundError(CreditcoreError):
    """Something was named that does not exist, or is not the caller's."""

    noun = "record"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"There is no {self.noun} {name!r}.")


class WalletNotFoundError(NotFoundError):
    """No wallet has this id."""

    noun = "wallet"


class HoldNotFoundError(NotFoundError):
    """No hold has this reference. The asker knows it as the call that it is for."""

    noun = "call"


class PurchaseNotFoundError(NotFoundError):
    """No purchase has this reference."""

    noun = "purchase"


class DocumentNotFoundError(NotFoundError):
    """No receipt or credit note has this number."""

    noun = "receipt or credit note"


class ReviewNotFoundError(NotFoundError):
    """No payment of this reference waits for a decision."""

    noun = "payment to decide about"


class CardNotFoundError(NotFoundError):
    """The person saved no card with this id."""

    noun = "saved card"


class ApiKeyNotFoundError(NotFoundError):
    """The owner has no key with this id."""

    noun = "API key"


class PersonNotFoundError(NotFoundError):
    """No person has this id."""

    noun = "person"


class TeamNotFoundError(NotFoundError):
    """There is no such team, or the caller is not in it."""

    noun = "team"


class MemberNotFoundError(NotFoundError):
    """The team has no such member."""

    noun = "member"


class JobNotFoundError(NotFoundError):
    """No job has this kind and business key."""

    noun = "job"


class PriceRuleNotFoundError(NotFoundError):
    """No price rule has this id."""

    noun = "price rule"


class AlertNotFoundError(NotFoundError):
    """No alert has this key."""

    noun = "alert"


class WebhookNotFoundError(NotFoundError):
    """No webhook has this digest."""

    noun = "webhook"


class ModelNotFoundError(NotFoundError):
    """The model is unknown, or has no price: nothing unpriced is ever routed."""

    noun = "model"
