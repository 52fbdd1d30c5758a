"""A receipt says which side of a call we counted, and why; an alert, how far off it may be."""

from __future__ import annotations

import pytest

from creditcore import Credits
from creditcore.domain.counting import ALL_REPORTED, Because, Counted
from creditcore.domain.errors import UpstreamTimeoutError, UpstreamUnavailableError
from creditcore.domain.holds import Basis
from creditcore.domain.units import Unit
from tests.unit.relaying import END, TEXT, USAGE, Event, Scene

ABSURD = b"u 5 4503599627370496"


def both(why: Because) -> Counted:
    return Counted(why, why)


@pytest.mark.parametrize(
    ("script", "counted"),
    [
        ((TEXT, USAGE, END), ALL_REPORTED),
        ((TEXT, END), both(Because.NOT_REPORTED)),
        ((TEXT, b"u 5 0", END), Counted(output=Because.NOT_REPORTED)),
        ((TEXT, b"u 0 7", END), Counted(input=Because.NOT_REPORTED)),
        ((TEXT, UpstreamUnavailableError()), both(Because.CUT_OFF)),
        ((TEXT, UpstreamTimeoutError()), both(Because.CUT_OFF)),
        ((TEXT,), both(Because.CUT_OFF)),
        ((TEXT, ABSURD, END), both(Because.INCREDIBLE)),
    ],
)
def test_each_side_that_the_provider_did_not_count_has_its_reason(
    scene: Scene, script: tuple[Event, ...], counted: Counted
) -> None:
    scene.script(*script)
    call = scene.open(model="dear", limit=3)

    list(call)
    call.close()

    assert scene.hold.outcome.counted == counted


@pytest.mark.parametrize(
    ("first", "counted"),
    [
        ((), both(Because.CLIENT_LEFT)),
        ((b"u 5 0",), Counted(output=Because.CLIENT_LEFT)),
    ],
)
def test_a_client_that_left_is_a_reason_of_its_own(
    scene: Scene, first: tuple[Event, ...], counted: Counted
) -> None:
    scene.script(*first, *[TEXT] * 9, END)
    call = scene.open(limit=1_000)
    next(iter(call))

    call.close()

    assert scene.hold.outcome.counted == counted


def test_an_alert_says_how_much_the_count_may_be_off(scene: Scene) -> None:
    scene.script(TEXT, TEXT, b"u 5 0", END)
    call = scene.open()
    list(call)
    call.close()

    assert scene.hold.charged == Credits(25)
    [alert] = scene.store.committed.alerts.values()
    assert "its output (not_reported) came to 0.000025 credits" in alert.message
    assert "Up to 0.0006 credits were held" in alert.message
    assert "may be too low by 0.000575" in alert.message


def test_units_are_held_at_most_and_counted_about_where_no_answer_tells(scene: Scene) -> None:
    scene.script(TEXT, END, streamed=False)
    call = scene.open(model="pictures", stream=False)

    call.document()
    call.close()

    # 7 for each of 3 pictures at most, 2 of them as usual.
    assert scene.hold.amount == Credits(100 + 10 * 50 + 7 * 3)
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10 + 7 * 2, status=200)


def test_a_line_of_a_receipt_is_of_one_side() -> None:
    counted = Counted(Because.NOT_REPORTED, Because.CLIENT_LEFT)

    assert counted.because("input") is counted.because(Unit.AUDIO_TOKEN) is counted.input
    assert counted.because("output") is counted.because(Unit.IMAGE) is counted.output
    assert {counted.because(name) for name in ("cache_read", "cache_write", "reasoning")} == {None}
    assert all(counted.because(unit) for unit in Unit)
