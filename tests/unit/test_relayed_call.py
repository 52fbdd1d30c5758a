"""However a call goes on, its hold is resolved once, by what is known of its cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from creditcore import Basis, ChargeUsage, Credits, HoldState, Tariff
from creditcore.domain.endings import CLIENT_LEFT
from creditcore.domain.errors import UpstreamError, UpstreamTimeoutError, UpstreamUnavailableError
from creditcore.domain.money import MAX_INT64
from creditcore.testing.memory import FixedClock, MemoryModelGateway, SequentialIds
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.relay_call import RelayCall
from creditcore.usecases.calls.relayed_call import RelayedCall
from tests.unit.relaying import (
    DAY,
    END,
    FAILURE,
    HOLD,
    PEPPER,
    PING,
    SECOND,
    SECRET,
    TEXT,
    USAGE,
    Event,
    Scene,
    TinyWire,
    one_token_a_second,
)


def test_a_finished_stream_is_charged_by_what_the_provider_reported(scene: Scene) -> None:
    scene.script(TEXT, TEXT, USAGE, END)
    call = scene.open()

    assert list(call) == [TEXT, TEXT, END]
    call.close()

    scene.expect_charge(Basis.PROVIDER_USAGE, 5 + 70, status=200)
    assert scene.answer.closed == 1


def test_a_stream_without_usage_is_charged_by_what_was_delivered(scene: Scene) -> None:
    scene.script(TEXT, TEXT, TEXT, END)
    call = scene.open()

    list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 30, status=200)


def test_a_stream_that_delivered_nothing_costs_nothing(scene: Scene) -> None:
    call = scene.open()

    assert list(call) == []
    call.close()

    scene.expect_charge(Basis.NONE, 0, status=200)


def test_a_document_tells_its_cost_and_what_is_left(scene: Scene) -> None:
    scene.script(TEXT, USAGE, streamed=False)
    call = scene.open(stream=False)

    document = call.document()
    call.close()

    assert (document.body, document.cost) == (TEXT, Credits(75))
    assert document.available == Credits(10_000 - 75)
    scene.expect_charge(Basis.PROVIDER_USAGE, 75, status=200)


def test_usage_beyond_the_hold_is_charged_up_to_the_hold(scene: Scene) -> None:
    scene.script(b"u 100 100000", END, streamed=False)
    call = scene.open(stream=False)

    document = call.document()
    call.close()

    assert document.cost == HOLD
    scene.expect_charge(Basis.PROVIDER_USAGE, HOLD.microcredits, status=200)
    assert scene.hold.written_off == Credits(100 + 10 * 100_000) - HOLD
    assert set(scene.store.committed.alerts) == {"write_off:call-1"}


def test_a_rough_count_is_never_written_off(scene: Scene) -> None:
    scene.script(*[TEXT] * 500, END)
    call = scene.open()

    list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, HOLD.microcredits, status=200)
    assert set(scene.store.committed.alerts) == {"unusable_usage:demo:2026-01-01"}


@pytest.mark.parametrize("usage", [b"u 0 0", b"u 5 4503599627370496"])
def test_a_report_that_cannot_be_true_is_not_charged_by(scene: Scene, usage: bytes) -> None:
    scene.script(TEXT, TEXT, usage, END)
    call = scene.open(model="dear", limit=3)

    list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 2 * 2500, status=200)
    assert scene.hold.outcome.error == "incredible_usage"
    assert set(scene.store.committed.alerts) == {"unusable_usage:dear:2026-01-01"}


def test_only_the_side_that_no_report_has_is_counted_by_us(scene: Scene) -> None:
    scene.script(TEXT, TEXT, b"u 5 0", END)
    call = scene.open()

    list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 5 + 20, status=200)
    assert scene.hold.outcome.error == "incredible_usage"


def test_text_far_beyond_its_count_is_named_on_the_receipt(scene: Scene) -> None:
    scene.script(*[TEXT] * 40, b"u 5 1", END)
    call = scene.open()

    list(call)
    call.close()

    scene.expect_charge(Basis.PROVIDER_USAGE, 5 + 10, status=200)
    assert scene.hold.outcome.error == "contradictory_usage"


@pytest.mark.parametrize("cut", [UpstreamUnavailableError(), UpstreamTimeoutError()])
def test_an_answer_that_is_whole_ends_well_where_its_connection_does_not(
    scene: Scene, cut: UpstreamError
) -> None:
    scene.script(TEXT, USAGE, END, cut)
    call = scene.open()

    assert list(call) == [TEXT, END]
    call.close()

    scene.expect_charge(Basis.PROVIDER_USAGE, 75, status=200)
    assert scene.hold.outcome.error is None


def test_when_the_client_leaves_far_from_the_end_nothing_more_is_read(scene: Scene) -> None:
    scene.script(*one_token_a_second(60))
    call = scene.open(limit=112)
    next(iter(call))

    call.close()

    assert scene.clock.now() - FixedClock().now() == SECOND
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=CLIENT_LEFT)


def test_when_the_client_leaves_a_prompt_that_may_be_huge_its_usage_is_waited_for(
    scene: Scene,
) -> None:
    scene.script(TEXT, SECOND, b"u 900 2", END)
    call = scene.open(model="boundless", limit=200, prompt_bound=7000)
    next(iter(call))

    call.close()

    scene.expect_charge(Basis.PROVIDER_USAGE, 900 + 20, status=CLIENT_LEFT)


def test_a_rough_count_at_an_absurd_price_is_stored_as_far_as_it_can_be(scene: Scene) -> None:
    scene.script(TEXT, END)
    # A hundred million dollars a token, for next to no credits.
    relay = RelayCall(
        charge=ChargeUsage(commits=scene.commits, transactions=scene.store, clock=scene.clock),
        journal=scene.journal,
        keyring=scene.keyring,
        prices=PriceList(
            transactions=scene.store, gateway=MemoryModelGateway([]), clock=scene.clock
        ),
        upstream=scene.upstream,
        tariff=Tariff(1, 10**37, "0"),
        pepper=PEPPER,
        clock=scene.clock,
        ids=SequentialIds(),
    )
    call = relay.open(
        TinyWire(),
        relay.prepare(TinyWire(), b'{"model": "absurd"}', call_id="call-1"),
        secret=SECRET,
    )

    list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 11, status=200)
    assert scene.hold.outcome.provider_cost_picodollars == MAX_INT64


def test_a_report_of_nothing_for_nothing_is_believed(scene: Scene) -> None:
    scene.script(b"u 5 0", END)
    call = scene.open()

    list(call)
    call.close()

    scene.expect_charge(Basis.PROVIDER_USAGE, 5, status=200)


def leave_unstarted(call: RelayedCall) -> None:
    call.close()


def leave_midway(call: RelayedCall) -> None:
    next(iter(call))
    call.close()


def leave_midway_by_the_generator(call: RelayedCall) -> None:
    stream = iter(call)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    call.close()


def read_on_after_leaving(call: RelayedCall) -> None:
    stream = iter(call)
    next(stream)
    call.close()
    list(stream)


def finish(call: RelayedCall) -> None:
    list(call)
    call.close()


def finish_and_close_again(call: RelayedCall) -> None:
    list(call)
    call.close()
    call.close()


def close_before_the_rest(call: RelayedCall) -> None:
    call.close()
    list(call)
    call.close()


ENDINGS: list[Callable[[RelayedCall], None]] = [
    leave_unstarted,
    leave_midway,
    leave_midway_by_the_generator,
    read_on_after_leaving,
    finish,
    finish_and_close_again,
    close_before_the_rest,
]


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize(
    "last", [END, UpstreamUnavailableError(), UpstreamTimeoutError()], ids=["end", "cut", "late"]
)
def test_every_way_to_end_settles_once_and_closes_the_upstream_once(
    scene: Scene, end: Callable[[RelayedCall], None], last: Event
) -> None:
    scene.script(TEXT, USAGE, last)

    end(scene.open())

    hold = scene.hold
    assert (hold.state, hold.charged) == (HoldState.SETTLED, Credits(75))
    assert scene.answer.closed == 1
    assert list(scene.store.committed.transfers) == ["gift:wallet-1", "charge:call-1"]


def test_a_call_that_is_not_iterated_is_resolved_by_its_close(scene: Scene) -> None:
    scene.script(None)

    scene.open().close()

    # Its prompt was read: 20 tokens, by our estimate.
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20, status=CLIENT_LEFT)


def test_leaving_a_call_that_fails_before_any_text_costs_nothing(scene: Scene) -> None:
    scene.script(FAILURE, None)
    call = scene.open()
    next(iter(call))

    call.close()

    scene.expect_charge(Basis.NONE, 0, status=CLIENT_LEFT)


def test_when_the_client_leaves_the_usage_is_waited_for(scene: Scene) -> None:
    scene.script(TEXT, TEXT, SECOND, TEXT, USAGE, END)
    call = scene.open()
    next(iter(call))

    call.close()

    scene.expect_charge(Basis.PROVIDER_USAGE, 75, status=CLIENT_LEFT)
    assert scene.hold.outcome.error == "client_left"


def test_when_the_client_leaves_a_long_answer_is_not_waited_for(scene: Scene) -> None:
    scene.script(*one_token_a_second(60))
    call = scene.open()
    next(iter(call))

    call.close()

    assert scene.clock.now() - FixedClock().now() == 5 * SECOND
    assert scene.answer.closed == 1
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=CLIENT_LEFT)


def test_when_the_client_leaves_a_silent_upstream_is_not_waited_for(scene: Scene) -> None:
    scene.script(TEXT, None, None, None)
    call = scene.open()
    next(iter(call))

    call.close()

    assert scene.clock.now() - FixedClock().now() == 4 * SECOND
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=CLIENT_LEFT)


def test_a_fault_while_draining_charges_what_was_delivered(scene: Scene) -> None:
    scene.script(TEXT, UpstreamUnavailableError())
    call = scene.open()
    next(iter(call))

    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=CLIENT_LEFT)


def test_silence_is_bridged_with_pings(scene: Scene) -> None:
    scene.script(TEXT, None, None, TEXT, USAGE, END)
    call = scene.open()

    assert list(call) == [TEXT, PING, PING, TEXT, END]
    call.close()

    assert set(scene.answer.waits_s) == {4.0}


def test_a_ping_never_gets_into_a_document(scene: Scene) -> None:
    scene.script(None, TEXT, None, USAGE, streamed=False)
    call = scene.open(stream=False)

    assert call.document().body == TEXT
    call.close()


def test_an_upstream_that_falls_silent_ends_the_stream_with_an_error(scene: Scene) -> None:
    scene.script(TEXT, *[None] * 100)
    call = scene.open()

    *pings, last = list(call)[1:]
    call.close()

    assert set(pings) == {PING}
    assert last == b"error server_error timeout"
    assert len(pings) == 30
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=504)


def test_a_call_may_not_take_longer_than_a_call_may_take(scene: Scene) -> None:
    scene.script(*one_token_a_second(2000))
    call = scene.open()

    *texts, last = list(call)
    call.close()

    assert len(texts) == 600
    assert last == b"error server_error timeout"
    assert scene.hold.outcome.status == 504
    assert scene.answer.closed == 1


def test_a_stream_that_breaks_off_says_so_and_charges_what_was_delivered(scene: Scene) -> None:
    scene.script(TEXT, UpstreamUnavailableError())
    call = scene.open()

    assert list(call) == [TEXT, b"error server_error upstream_error"]
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=502)


@pytest.mark.parametrize(
    ("error", "status"), [(UpstreamUnavailableError(), 502), (UpstreamTimeoutError(), 504)]
)
def test_a_document_that_breaks_off_is_an_error_and_costs_nothing(
    scene: Scene, error: UpstreamError, status: int
) -> None:
    scene.script(b"half", error, streamed=False)
    call = scene.open(stream=False)

    with pytest.raises(UpstreamError):
        call.document()
    call.close()

    scene.expect_charge(Basis.NONE, 0, status=status)


def test_a_stream_that_is_interrupted_is_settled_by_its_close(scene: Scene) -> None:
    scene.script(TEXT, KeyboardInterrupt())
    call = scene.open()

    with pytest.raises(KeyboardInterrupt):
        list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=CLIENT_LEFT)


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_is_set_changes_no_duration(scene: Scene, jump: timedelta) -> None:
    scene.script(SECOND, TEXT, None, SECOND, TEXT, USAGE, END)
    call = scene.open()
    stream = iter(call)
    next(stream)

    scene.clock.at += jump
    rest = list(stream)
    call.close()

    assert rest == [PING, TEXT, END]
    outcome = scene.hold.outcome
    assert (outcome.status, outcome.latency_ms, outcome.first_byte_ms) == (200, 6000, 0)


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_clock_that_is_set_does_not_change_how_long_a_usage_is_waited_for(
    scene: Scene, jump: timedelta
) -> None:
    scene.script(*one_token_a_second(60))
    call = scene.open()
    next(iter(call))
    scene.clock.at += jump

    call.close()

    assert scene.clock.elapsed == 5 * SECOND
