"""What a maker makes is what its class makes."""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, NamedTuple, Self

import pytest

from creditcore.domain.holds import Hold, Outcome, make_hold, make_outcome
from creditcore.domain.ledger import Transfer, Wallet, make_transfer, make_wallet
from creditcore.domain.makers import maker_of
from creditcore.domain.money import Credits
from creditcore.domain.pricing import Usage, make_usage
from creditcore.domain.pricing.tariff import Ceiling, make_ceiling
from creditcore.domain.settlements import Settlement, make_settlement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WALLET = {"id": "w", "owner_id": "o", "posted": Credits(9), "held": Credits(4)}
TRANSFER = {
    "wallet_id": "w",
    "from_account": "w",
    "to_account": "usage",
    "amount": Credits(3),
    "kind": "charge",
    "reference": "r",
    "at": NOON,
}
HOLD = {
    "reference": "r",
    "wallet_id": "w",
    "amount": Credits(5),
    "created_at": NOON,
    "expires_at": NOON,
    "charged": Credits(2),
}
CEILING = (1, 2, 3, 4, False)


class Named(NamedTuple):
    """A value as short ones are."""

    first: int
    second: str = "two"


@dataclass(frozen=True, slots=True)
class Placed:
    """A value whose fields have places."""

    first: int
    second: str = "two"


@pytest.mark.parametrize(
    ("cls", "make", "fields"),
    [
        (Wallet, make_wallet, WALLET),
        (Transfer, make_transfer, TRANSFER),
        (Hold, make_hold, HOLD),
        (Outcome, make_outcome, {"status": 200}),
        (Usage, make_usage, {"prompt_tokens": 12}),
        (Ceiling, make_ceiling, dict(zip(Ceiling.__slots__, CEILING, strict=False))),
        (
            Settlement,
            make_settlement,
            {"reference": "r", "wallet_id": "w", "cost": Credits(1), "outcome": Outcome()},
        ),
        (Named, maker_of(Named), {"first": 1}),
        (Placed, maker_of(Placed), {"first": 1}),
    ],
)
def test_it_is_the_same_value(cls: Any, make: Any, fields: dict[str, Any]) -> None:
    made = make(**fields)
    assert type(made) is cls
    assert made == cls(**fields)
    assert repr(made) == repr(cls(**fields))
    assert hash(made) == hash(cls(**fields))
    assert copy(made) == deepcopy(made) == made


def test_it_takes_fields_by_place_where_the_class_does() -> None:
    assert maker_of(Named)(1, "b") == Named(1, "b")
    assert maker_of(Placed)(1, "b") == Placed(1, "b")
    assert make_ceiling(*CEILING) == Ceiling(*CEILING)
    with pytest.raises(TypeError):
        make_wallet("w", "o")


def test_it_is_immutable_and_can_be_replaced() -> None:
    made = make_wallet(**WALLET)
    with pytest.raises(FrozenInstanceError):
        made.held = Credits(0)
    with pytest.raises(FrozenInstanceError):
        del made.held
    assert replace(made, held=Credits(1)) == Wallet(**{**WALLET, "held": Credits(1)})


def test_it_is_checked() -> None:
    with pytest.raises(ValueError, match="held is between zero and posted"):
        make_wallet(**{**WALLET, "held": Credits(10)})
    with pytest.raises(ValueError, match="a charge is between zero and its hold"):
        make_hold(**{**HOLD, "charged": Credits(6)})
    with pytest.raises(ValueError, match="moves more than zero"):
        make_transfer(**{**TRANSFER, "amount": Credits(0)})
    with pytest.raises(ValueError, match="not a count of tokens"):
        make_usage(prompt_tokens=-1)


def test_a_field_may_be_neither_forgotten_nor_invented() -> None:
    with pytest.raises(TypeError):
        make_wallet(owner_id="o")
    with pytest.raises(TypeError):
        make_wallet(**WALLET, name="mine")


def test_fields_that_a_class_fills_by_itself_are_beyond_it() -> None:
    @dataclass(frozen=True, slots=True)
    class Listing:
        entries: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Counting:
        count: int = field(init=False, default=0)

    for cls in (Listing, Counting):
        with pytest.raises(TypeError, match="field by field"):
            maker_of(cls)


def test_so_is_what_a_class_does_to_make_its_values() -> None:
    @dataclass(frozen=True, slots=True)
    class Plain:
        count: int

        def __init__(self) -> None:
            """Fill nothing."""

    class Counting(Named):
        def __new__(cls, first: int) -> Self:
            return super().__new__(cls, first, "one")

    for cls in (Plain, Counting, Credits):
        with pytest.raises(TypeError, match="field by field"):
            maker_of(cls)


def test_sums_of_credits_stay_within_their_column() -> None:
    most = Credits(2**63 - 1)
    assert most - Credits(1) == Credits(2**63 - 2)
    with pytest.raises(ValueError, match="does not fit 64 bits"):
        most + Credits(1)
