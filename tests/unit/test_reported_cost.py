"""What the model server says a call cost is kept beside our price, and told where it differs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis.strategies import floats

from creditcore import Basis, Call, Credits, Hold, HoldState
from creditcore.domain.alerts import Severity
from creditcore.domain.holds import Outcome
from creditcore.domain.money import MAX_INT64
from creditcore.domain.reported_cost import difference_alert, differs, picodollars, reported_usd
from creditcore.testing.contracts import NOON
from tests.unit.relaying import DAY, END, TEXT, USAGE, Scene


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5.25e-06", 5_250_000),
        ("5.25E-06", 5_250_000),
        ("0.00001245", 12_450_000),
        ("0.000117", 117_000_000),
        ("3.8e-07", 380_000),
        ("0", 0),
        ("0.0", 0),
        ("12", 12 * 10**12),
        # As the sum of two doubles is written.
        ("0.00010500000000000001", 105_000_000),
        ("0.00010499999999999999", 105_000_000),
        ("1e-999", 0),
        ("4e-13", 0),
        ("5e-13", 0),
        ("6e-13", 1),
        ("1.5e-12", 2),
        ("2.5e-12", 2),
        ("9223372.036854775807", MAX_INT64),
    ],
)
def test_a_cost_is_read_exactly(text: str, expected: int) -> None:
    assert picodollars(text) == expected


@given(floats(min_value=0, max_value=9e6))
def test_any_cost_that_python_writes_is_read_to_the_nearest(cost: float) -> None:
    read = picodollars(repr(cost))

    assert read is not None
    assert abs(read - Fraction(repr(cost)) * 10**12) <= Fraction(1, 2)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "None",
        "null",
        "nan",
        "NaN",
        "inf",
        "-Infinity",
        "-0.01",
        "+0.01",
        "0,01",
        "0.01, 0.01",
        "$0.01",
        " 0.01",
        "0.01\n",
        "1_0",
        "٣",
        "0x10",
        "1e",
        "e5",
        ".",
        "9223372.036854775808",
        "1e999",
        "1e99999999999",
        "9" * 21,
        "0." + "1" * 100_000,
    ],
)
def test_what_is_no_cost_is_none(text: str) -> None:
    assert picodollars(text) is None


def test_a_cost_is_shown_exactly() -> None:
    assert reported_usd(5_250_000) == "0.00000525"
    assert reported_usd(0) == "0"


def a_call(*, reported: int | None, ours: int = 10**9, basis: Basis = Basis.PROVIDER_USAGE) -> Hold:
    return Hold(
        reference="call-1",
        wallet_id="wallet-1",
        amount=Credits(1),
        created_at=NOON,
        expires_at=NOON + DAY,
        state=HoldState.SETTLED,
        call=Call(model="demo", price_snapshot="cafe"),
        outcome=Outcome(
            basis=basis, provider_cost_picodollars=ours, reported_cost_picodollars=reported
        ),
    )


@pytest.mark.parametrize(
    ("reported", "ours", "is_told"),
    [
        (10**9, 10**9, False),
        (None, 10**9, False),
        # Out of its cache, or without a price there: it says nothing of prices.
        (0, 10**9, False),
        # We round up, and what was reported to the nearest.
        (1, 2, False),
        (3, 1, True),
        # A part in a million is more than floats are off, and less than prices differ by.
        (10**9 + 1001, 10**9, False),
        (10**9 + 1002, 10**9, True),
        (10**9 - 1001, 10**9, False),
        (10**9 - 1002, 10**9, True),
        (5, 0, True),
        (MAX_INT64, 0, True),
    ],
)
def test_more_than_the_rounding_of_floats_is_a_difference(
    reported: int | None, ours: int, is_told: bool
) -> None:
    assert differs(a_call(reported=reported, ours=ours)) is is_told


@pytest.mark.parametrize("basis", [Basis.COUNTED_OUTPUT, Basis.NONE])
def test_a_rough_count_is_compared_with_nothing(basis: Basis) -> None:
    assert not differs(a_call(reported=5, basis=basis))


def test_an_operator_is_told_once_a_day_for_each_price_of_a_model() -> None:
    hold = a_call(reported=5_250_000)
    call = hold.call
    assert call is not None

    alert = difference_alert(hold, call, at=NOON)
    later = difference_alert(replace(hold, reference="call-2"), call, at=NOON + timedelta(hours=1))
    next_day = difference_alert(hold, call, at=NOON + DAY)
    mended = difference_alert(hold, call._replace(price_snapshot="beef"), at=NOON)

    assert alert.key == later.key == "reported_cost:demo:cafe:2026-06-01"
    assert len({alert.key, next_day.key, mended.key}) == 3
    assert alert.severity is Severity.CRITICAL
    assert "0.00000525 USD" in alert.message
    assert "0.001 USD" in alert.message


def play(scene: Scene, *, stream: bool, in_head: str | None, in_body: str | None) -> Hold:
    body = [] if in_body is None else [f"$ {in_body}".encode()]
    scene.script(TEXT, *body, USAGE, END, streamed=stream)
    scene.answer.reported_cost = in_head
    call = scene.open(stream=stream)
    if stream:
        list(call)
    else:
        call.document()
    call.close()
    return scene.hold


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("in_head", "in_body", "kept"),
    [
        (None, None, None),
        ("5.25e-06", None, 5_250_000),
        (None, "5.25e-06", 5_250_000),
        ("1e-06", "2e-06", 1_000_000),
        ("None", None, None),
        ("nonsense", None, None),
        (None, "-1", None),
    ],
)
def test_what_an_answer_reports_is_kept_and_charges_nothing(
    scene: Scene, stream: bool, in_head: str | None, in_body: str | None, kept: int | None
) -> None:
    hold = play(scene, stream=stream, in_head=in_head, in_body=in_body)

    assert hold.outcome.reported_cost_picodollars == kept
    scene.expect_charge(Basis.PROVIDER_USAGE, 5 + 70, status=200)


def test_a_difference_is_told_with_the_settlement(scene: Scene) -> None:
    hold = play(scene, stream=False, in_head="5.25e-06", in_body=None)

    [alert] = scene.store.committed.alerts.values()
    assert hold.call is not None
    assert alert.key == f"reported_cost:demo:{hold.call.price_snapshot}:2026-01-01"


def test_the_same_cost_is_not_told(scene: Scene) -> None:
    play(scene, stream=False, in_head="1e-12", in_body=None)

    assert not scene.store.committed.alerts
