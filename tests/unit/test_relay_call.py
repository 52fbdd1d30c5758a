"""Nothing is sent without a hold, and a call that never begins gives its hold back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from creditcore import (
    Basis,
    Credits,
    GrantCredits,
    HoldState,
    InsufficientCreditsError,
    InvalidRequestError,
    KeyRefusedError,
    KeySecret,
)
from creditcore.domain.callers import WithoutKey
from creditcore.domain.errors import (
    CallRunningError,
    LimitReachedError,
    ModelNotFoundError,
    OverloadedError,
    StoreUnavailableError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.domain.limits import KeyLimits
from creditcore.domain.money import ZERO
from creditcore.ports.inference import HeardWire
from creditcore.ports.transactions import Transaction
from creditcore.testing.contracts import a_wallet
from creditcore.usecases.calls.call_gate import CallGate
from creditcore.usecases.calls.process_counters import ProcessCounters
from creditcore.usecases.calls.relayed_call import RelayedCall
from creditcore.usecases.calls.stream_places import SMALLEST_SHARE
from tests.unit.relaying import (
    DAY,
    END,
    HOLD,
    SECOND,
    SECRET,
    TEXT,
    USAGE,
    Scene,
    ScriptedAnswer,
    TinyMeter,
    TinyWire,
)

CALLER = WithoutKey(wallet_id="wallet-1")


def test_the_hold_is_committed_before_anything_is_sent(scene: Scene) -> None:
    seen: list[Credits] = []
    send = scene.upstream.send

    def watched(wire: HeardWire, body: bytes, *, call_id: str, **asked: Any) -> ScriptedAnswer:
        seen.append(scene.store.committed.holds[call_id].amount)
        return send(wire, body, call_id=call_id, **asked)

    scene.upstream.send = watched  # type: ignore[method-assign]
    scene.open().close()

    assert seen == [HOLD]


@pytest.mark.parametrize("committed", [True, False])
def test_an_authorization_of_unknown_outcome_is_undone(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    begin = scene.store.begin
    losses = [StoreUnavailableError("The database fell silent.")]

    @contextmanager
    def losing() -> Iterator[Transaction]:
        with begin() as tx:
            commit = tx.commit

            def commit_silently() -> None:
                if committed or not losses:
                    commit()
                if losses:
                    raise losses.pop()

            tx.commit = commit_silently  # type: ignore[method-assign]
            yield tx

    monkeypatch.setattr(scene.store, "begin", losing)

    with pytest.raises(StoreUnavailableError):
        scene.open()

    assert (scene.hold.state, scene.hold.outcome.error) == (HoldState.RELEASED, "not_made")
    assert scene.upstream.sent == []


def test_an_authorization_that_was_never_tried_leaves_nothing_to_undo(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def away() -> Iterator[Transaction]:
        raise StoreUnavailableError("The database cannot be reached.")
        yield

    # From now on the prices come from memory.
    with pytest.raises(ModelNotFoundError):
        scene.open(model="unheard of")
    with monkeypatch.context() as patch:
        patch.setattr(scene.store, "begin", away)
        with pytest.raises(StoreUnavailableError):
            scene.open()

    scene.commits.flush()
    assert not scene.store.committed.holds


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (UpstreamRejectedError("no", status=429, code="busy"), 429, "busy"),
        (UpstreamRejectedError("no", status=400), 400, "upstream_rejected"),
        (UpstreamUnavailableError(), 502, "upstream_unavailable"),
        (UpstreamTimeoutError(), 504, "upstream_timeout"),
    ],
)
def test_a_call_that_upstream_refuses_releases_its_hold(
    scene: Scene, error: UpstreamError, status: int, word: str
) -> None:
    scene.upstream.error = error

    with pytest.raises(type(error)):
        scene.open()

    hold = scene.hold
    assert (hold.state, hold.charged) == (HoldState.RELEASED, ZERO)
    assert (hold.outcome.status, hold.outcome.error) == (status, word)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a bug"), SystemExit()])
def test_a_call_that_is_interrupted_while_it_waits_releases_its_hold(
    scene: Scene, error: BaseException
) -> None:
    scene.upstream.error = error

    with pytest.raises(type(error)):
        scene.open()

    assert scene.hold.state is HoldState.RELEASED
    assert scene.hold.outcome.error == "interrupted"


def test_a_stream_that_was_not_asked_for_is_refused_and_costs_nothing(scene: Scene) -> None:
    scene.script(TEXT, USAGE, END, streamed=True)

    with pytest.raises(UpstreamUnavailableError):
        scene.open(stream=False)

    assert scene.hold.state is HoldState.RELEASED
    assert scene.answer.closed == 1


def test_a_whole_answer_in_place_of_a_stream_is_delivered_and_charged(scene: Scene) -> None:
    scene.script(TEXT, USAGE, END, streamed=False)

    with closing(scene.open(stream=True)) as call:
        assert list(call) == [TEXT, END]

    scene.expect_charge(Basis.PROVIDER_USAGE, 75, status=200)


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"model": "unheard of"}, ModelNotFoundError),
        ({"model": "boundless", "prompt_bound": None}, InvalidRequestError),
        ({"model": "dear", "limit": 200}, InsufficientCreditsError),
    ],
)
def test_a_refused_call_holds_nothing_and_reaches_no_server(
    scene: Scene, fields: dict[str, object], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        scene.open(**fields)

    scene.commits.flush()
    assert not scene.store.committed.holds
    assert not scene.upstream.sent


def test_nothing_is_held_for_an_upstream_that_is_known_to_be_down(scene: Scene) -> None:
    scene.upstream.down = True

    with pytest.raises(UpstreamUnavailableError):
        scene.open()

    assert not scene.store.committed.holds
    assert not scene.upstream.sent


def test_an_unknown_key_holds_nothing_and_reaches_no_server(scene: Scene) -> None:
    with pytest.raises(KeyRefusedError):
        scene.relay.open(
            TinyWire(),
            scene.relay.prepare(TinyWire(), b"{}", call_id="call-1"),
            secret=KeySecret("sk-cc-other"),
        )

    assert not scene.store.committed.holds
    assert not scene.upstream.sent


@pytest.mark.parametrize(
    ("fields", "bound"),
    [
        ({"limit": 50}, 50),
        ({"limit": None}, None),
        ({"limit": None, "prompt_bound": 900, "model": "boundless"}, 910),
        ({"limit": None, "prompt_bound": 9000, "model": "boundless"}, 100),
    ],
)
def test_upstream_gets_the_limit_that_the_hold_pays_for(
    scene: Scene, fields: dict[str, object], bound: int | None
) -> None:
    scene.open(**fields).close()

    [sent] = scene.upstream.sent
    assert json.loads(sent)["bound"] == bound


def test_a_prompt_is_held_at_the_models_context_where_that_is_less(scene: Scene) -> None:
    scene.open(prompt_bound=5000).close()

    assert scene.hold.amount == Credits(1000 + 10 * 50)


class BrokenWire(TinyWire):
    """A protocol whose answers cannot be metered, through a bug."""

    def __init__(self, fault: BaseException) -> None:
        self._fault = fault

    def meter(self, *_: object, **__: object) -> TinyMeter:
        raise self._fault


@pytest.mark.parametrize(
    "fault", [RuntimeError("a bug"), KeyboardInterrupt(), UpstreamUnavailableError()]
)
def test_an_answer_that_no_call_takes_over_is_closed_and_its_hold_released(
    scene: Scene, fault: BaseException
) -> None:
    scene.script(TEXT, USAGE, END)

    with pytest.raises(type(fault)):
        scene.relay.open(
            BrokenWire(fault),
            scene.relay.prepare(TinyWire(), b"{}", call_id="call-1"),
            secret=SECRET,
        )

    assert (scene.hold.state, scene.hold.charged) == (HoldState.RELEASED, ZERO)
    assert scene.answer.closed == 1


def test_a_refused_call_tells_how_long_it_took_whatever_the_time_of_day(scene: Scene) -> None:
    send = scene.upstream.send

    def slow(wire: HeardWire, body: bytes, *, call_id: str, **asked: Any) -> ScriptedAnswer:
        scene.clock.advance(SECOND)
        scene.clock.at -= DAY
        return send(wire, body, call_id=call_id, **asked)

    scene.upstream.send = slow  # type: ignore[method-assign]
    scene.upstream.error = UpstreamTimeoutError()

    with pytest.raises(UpstreamTimeoutError):
        scene.open()

    assert scene.hold.outcome.latency_ms == 1000


@pytest.mark.parametrize(
    ("limit", "held", "sent"),
    [
        (1_900, 100 + 5 * 1_900, 1_900),  # the wallet holds all of it
        (5_000, 100 + 5 * 1_024, 1_980),  # it begins, and may go on as far as the wallet does
    ],
)
def test_a_stream_whose_limit_the_wallet_cannot_hold_opens_with_less(
    scene: Scene, limit: int, held: int, sent: int
) -> None:
    scene.script(END)

    call = scene.open(model="lengthy", limit=limit)

    assert call.hold.amount == Credits(held)
    assert b'"bound": %d' % sent in scene.upstream.sent[0]
    call.close()


@pytest.mark.parametrize("fields", [{"stream": False, "limit": 5_000}, {"limit": 5_000}])
def test_what_cannot_even_begin_is_refused_with_what_would_fit(
    scene: Scene, fields: dict[str, Any]
) -> None:
    with pytest.raises(InsufficientCreditsError) as caught:
        scene.open(model="boundless", **fields)

    assert caught.value.affordable_output_tokens == 990
    assert scene.upstream.sent == []


def test_a_stream_that_opened_with_less_is_charged_by_what_was_used(scene: Scene) -> None:
    scene.script(*[TEXT] * 3, USAGE, END)

    passed = b"".join(scene.open(model="lengthy", limit=5_000))

    assert passed == TEXT * 3 + END
    scene.expect_charge(Basis.PROVIDER_USAGE, 5 + 7 * 5, status=200)


def test_a_call_without_a_key_is_held_and_charged_like_any_other(scene: Scene) -> None:
    scene.script(TEXT, USAGE, END)

    with closing(
        scene.relay.open_without_key(
            TinyWire(),
            scene.relay.prepare(TinyWire(), b"{}", call_id="call-1"),
            caller=CALLER,
        )
    ) as call:
        list(call)

    hold = scene.hold
    assert hold.state is HoldState.SETTLED
    assert hold.charged > ZERO
    assert hold.call is not None
    assert hold.call.key_id is None


def test_a_call_without_a_key_is_made_once_by_its_name(scene: Scene) -> None:
    scene.script(TEXT, USAGE, END)
    ask = partial(
        scene.relay.open_without_key,
        TinyWire(),
        scene.relay.prepare(TinyWire(), b"{}", call_id="call-1"),
        caller=CALLER,
    )
    with closing(ask()) as call:
        list(call)

    with pytest.raises(CallRunningError):
        ask()

    assert len(scene.upstream.sent) == 1


def test_a_call_without_a_key_is_refused_by_the_limits_of_its_account(scene: Scene) -> None:
    scene.relay._gate = CallGate(rates=ProcessCounters(clock=scene.clock))
    scene.script(TEXT, USAGE, END)
    caller = replace(CALLER, account_limits=KeyLimits(rpm=1))

    def ask(call_id: str) -> RelayedCall:
        prepared = scene.relay.prepare(TinyWire(), b"{}", call_id=call_id)
        return scene.relay.open_without_key(TinyWire(), prepared, caller=caller)

    with closing(ask("call-1")) as call:
        list(call)

    with pytest.raises(LimitReachedError):
        ask("call-2")

    assert len(scene.upstream.sent) == 1
    assert list(scene.store.committed.holds) == ["call-1"]


def test_pages_of_one_account_take_no_places_of_another(scene: Scene) -> None:
    scene.relay._gate = CallGate(max_streams=2 * SMALLEST_SHARE)
    a_wallet(scene.store, wallet_id="wallet-2", posted=10_000)
    body = json.dumps({"stream": True, "output": 1}).encode()

    def ask(call_id: str, caller: WithoutKey) -> RelayedCall:
        prepared = scene.relay.prepare(TinyWire(), body, call_id=call_id)
        return scene.relay.open_without_key(TinyWire(), prepared, caller=caller)

    GrantCredits(transactions=scene.store, clock=scene.clock).grant(
        "wallet-1", Credits.of(1), reason="test", reference="grant-1"
    )
    with ExitStack() as streams:
        for number in range(SMALLEST_SHARE):
            call = ask(f"call-{number}", CALLER)
            streams.enter_context(closing(call))

        other = WithoutKey(wallet_id="wallet-2")
        streams.enter_context(closing(ask("of-another", other)))


def test_a_stream_beyond_the_share_of_its_account_is_given_back(scene: Scene) -> None:
    GrantCredits(transactions=scene.store, clock=scene.clock).grant(
        "wallet-1", Credits.of(1), reason="test", reference="grant-1"
    )
    scene.relay._gate = CallGate(max_streams=2 * SMALLEST_SHARE)
    with ExitStack() as streams:
        for number in range(SMALLEST_SHARE):
            call = scene.open(call_id=f"stream-{number}", stream=True, output=1)
            streams.enter_context(closing(call))

        with pytest.raises(OverloadedError, match="your account has 32 of its streams"):
            scene.open(stream=True, output=1)
