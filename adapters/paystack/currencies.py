"""What Paystack collects in each currency: the least, and in which ways.

Sources: https://paystack.com/docs/api/ ("Supported currency", read June 2026),
https://paystack.com/docs/payments/payment-channels/. Everything is counted in hundredths,
also XOF, which has no subunit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from creditcore.ports.payments import MobileNetwork


@dataclass(frozen=True, slots=True)
class Terms:
    """How one currency is collected.

    Attributes:
        minimum: The smallest transaction in subunits.
        channels: What the hosted checkout offers, in Paystack's words. An account without one
            of them offers the others; Apple Pay is left out, as it needs a domain registered.
        networks: Whose phones can be charged.
    """

    minimum: int
    channels: tuple[str, ...]
    networks: tuple[MobileNetwork, ...] = ()


def _networks(currency: str, country: str, **names: str) -> tuple[MobileNetwork, ...]:
    return tuple(
        MobileNetwork(code=code, name=name, currency=currency, country=country)
        for code, name in names.items()
    )


TERMS: Mapping[str, Terms] = MappingProxyType(
    {
        "USD": Terms(200, ("card",)),
        "KES": Terms(
            300,
            ("card", "mobile_money"),
            _networks("KES", "KE", mpesa="M-Pesa", atl="Airtel Money"),
        ),
        "NGN": Terms(5_000, ("card", "bank", "bank_transfer", "ussd")),
        "GHS": Terms(
            10,
            ("card", "mobile_money"),
            # Telecel wants a voucher that its menu (*110#) shows, Orange a code: typed on our page.
            _networks("GHS", "GH", mtn="MTN MoMo", vod="Telecel Cash", atl="AirtelTigo Money"),
        ),
        "ZAR": Terms(100, ("card", "eft")),
        "XOF": Terms(
            100,
            ("card", "mobile_money"),
            _networks("XOF", "CI", orange="Orange Money", mtn="MTN MoMo", wave="Wave"),
        ),
    }
)
