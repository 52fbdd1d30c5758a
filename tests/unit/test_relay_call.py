"""However a call goes, its hold is resolved once, by what is known of its cost."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType

import pytest

from creditcore import (
    AuditBooks,
    Basis,
    ChargeUsage,
    Credits,
    GroupCommit,
    Hold,
    HoldState,
    InsufficientCreditsError,
    InvalidRequestError,
    KeyRefusedError,
    KeySecret,
    ModelPrice,
    Rates,
    Tariff,
    Usage,
)
from creditcore.domain.errors import (
    ModelNotFoundError,
    StoreUnavailableError,
    UpstreamError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from creditcore.domain.money import MAX_INT64, ZERO
from creditcore.ports.inference import InferenceRequest, Receipt, Wire
from creditcore.ports.transactions import Transaction
from creditcore.testing.contracts import a_key, a_wallet
from creditcore.testing.memory import (
    FixedClock,
    MemoryModelGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.usecases.price_list import PriceList
from creditcore.usecases.relay_call import RelayCall
from creditcore.usecases.relayed_call import CLIENT_LEFT, Patience, RelayedCall

PEPPER = b"pepper"
SECRET = KeySecret("sk-cc-test")
PING = b": ping\n\n"
TEXT = b"t"
USAGE = b"u 5 7"
END = b"end"
FAILURE = b"failed"
SECOND = timedelta(seconds=1)

# One microcredit for a token read, ten for a token written.
RATES = Rates(input=1, output=10, cache_read=1, cache_write=1, cache_write_1h=1, reasoning=10)
HOLD = Credits(100 + 10 * 50)

Event = bytes | None | timedelta | BaseException


def one_token_a_second(seconds: int) -> list[Event]:
    return [event for _ in range(seconds) for event in (SECOND, TEXT)]


@dataclass
class ScriptedAnswer:
    """An answer that does what it is told, in order, and then ends.

    Attributes:
        script: Bytes to hand out; None for silence as long as the reader waits; a time
            to take before the next; an error to raise.
    """

    clock: FixedClock
    script: deque[Event]
    streamed: bool = True
    closed: int = 0
    waits_s: list[float] = field(default_factory=list)

    def read(self, *, wait_s: float) -> bytes | None:
        self.waits_s.append(wait_s)
        event = self.script.popleft() if self.script else b""
        while isinstance(event, timedelta):
            self.clock.advance(event)
            event = self.script.popleft()
        if event is None:
            self.clock.advance(timedelta(seconds=wait_s))
        if isinstance(event, BaseException):
            raise event
        return event

    def close(self) -> None:
        self.closed += 1


@dataclass
class ScriptedUpstream:
    """A model server with one answer, or one error."""

    answer: ScriptedAnswer
    error: BaseException | None = None
    down: bool = False
    sent: list[bytes] = field(default_factory=list)

    def check(self) -> None:
        if self.down:
            raise UpstreamUnavailableError

    def send(self, wire: Wire, body: bytes, *, call_id: str) -> ScriptedAnswer:
        assert wire.endpoint
        assert call_id
        self.sent.append(body)
        if self.error is not None:
            raise self.error
        return self.answer


class TinyMeter:
    """Counts ``t`` as a token; knows ``u P C`` as usage, ``end`` and ``failed``."""

    def __init__(self) -> None:
        self.budget: int | None = None
        self.limit: int | None = None
        self.starved = False
        self.usage: Usage | None = None
        self.delivered_tokens = 0
        self.complete = False
        self.error: str | None = None

    def feed(self, chunk: bytes) -> bytes:
        if chunk.startswith(b"u "):
            _, prompt, completion = chunk.split()
            self.usage = Usage(prompt_tokens=int(prompt), completion_tokens=int(completion))
            return b""
        self.complete = self.complete or chunk == END
        if chunk == FAILURE:
            self.error = "failed"
        self.delivered_tokens += chunk == TEXT
        return chunk

    def finish(self) -> bytes:
        return b""

    def cut_short(self, message: str) -> bytes:
        assert message
        return b"cut short"


class TinyWire:
    """A protocol as small as can be."""

    endpoint = "/v1/tiny"
    modes = frozenset({"chat"})
    upstream_headers: Mapping[str, str] = MappingProxyType({})

    def hearing(self, header: Callable[[str], str | None]) -> TinyWire:
        assert callable(header)
        return self

    def parse(self, body: bytes) -> InferenceRequest:
        fields = json.loads(body)
        return InferenceRequest(
            model=fields.get("model", "demo"),
            stream=fields.get("stream", True),
            wants_usage=False,
            prompt_bound=fields.get("prompt_bound", 100),
            output_limit=fields.get("limit", 50),
            choices=1,
            prompt_estimate=20,
            fields=fields,
        )

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        return json.dumps({**request.fields, "bound": output_bound}).encode()

    def meter(self, request: InferenceRequest, *, receipt: Receipt | None = None) -> TinyMeter:
        assert request.model
        assert receipt is None or callable(receipt)
        return TinyMeter()

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:
        assert message
        return f"error {kind} {code}".encode()


@dataclass
class Scene:
    """A funded wallet, a model server that follows a script, and the use case between them."""

    store: MemoryTransactions
    clock: FixedClock
    commits: GroupCommit
    upstream: ScriptedUpstream
    relay: RelayCall

    @property
    def answer(self) -> ScriptedAnswer:
        return self.upstream.answer

    def script(self, *events: Event, streamed: bool = True) -> None:
        self.answer.script.extend(events)
        self.answer.streamed = streamed

    def open(self, **fields: object) -> RelayedCall:
        return self.relay.open(
            TinyWire(), json.dumps(fields).encode(), secret=SECRET, call_id="call-1"
        )

    @property
    def hold(self) -> Hold:
        """The hold as it is once everything that was handed over has committed."""
        self.commits.flush()
        return self.store.committed.holds["call-1"]

    def expect_charge(self, basis: Basis, charged: int, *, status: int) -> None:
        """Assert how the call was settled, and that the wallet agrees."""
        hold = self.hold
        assert (hold.state, hold.outcome.basis) == (HoldState.SETTLED, basis)
        assert (hold.charged, hold.outcome.status) == (Credits(charged), status)
        wallet = self.store.committed.wallets["wallet-1"]
        assert (wallet.posted, wallet.held) == (Credits(10_000 - charged), ZERO)


@pytest.fixture
def scene() -> Iterator[Scene]:
    store, clock = MemoryTransactions(), FixedClock()
    wallet = a_wallet(store, posted=10_000)
    with store.begin() as tx:
        tx.keys.add(a_key(wallet, key_hash=SECRET.hash(PEPPER)))
        tx.commit()
    models = [
        ModelPrice(model="demo", rates=RATES, max_input_tokens=1000, max_output_tokens=200),
        ModelPrice(model="boundless", rates=RATES),
        ModelPrice(model="absurd", rates=replace(RATES, output=10**38), max_output_tokens=200),
        ModelPrice(model="dear", rates=replace(RATES, output=2500), max_output_tokens=200),
    ]
    prices = PriceList(store, MemoryModelGateway(models), clock)
    prices.refresh()
    upstream = ScriptedUpstream(ScriptedAnswer(clock, deque()))
    with GroupCommit(store, clock) as commits:
        relay = RelayCall(
            charge=ChargeUsage(commits, store, clock),
            prices=prices,
            upstream=upstream,
            tariff=Tariff(1, 1, "1"),
            pepper=PEPPER,
            clock=clock,
            ids=SequentialIds(),
            patience=Patience(),
        )
        yield Scene(store, clock, commits, upstream, relay)
    assert AuditBooks(store).audit().clean
    assert store.committed.wallets["wallet-1"].held == ZERO


def test_the_hold_is_committed_before_anything_is_sent(scene: Scene) -> None:
    seen: list[Credits] = []
    send = scene.upstream.send

    def watched(wire: Wire, body: bytes, *, call_id: str) -> ScriptedAnswer:
        seen.append(scene.store.committed.holds[call_id].amount)
        return send(wire, body, call_id=call_id)

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

    assert (scene.hold.state, scene.hold.outcome.error) == (HoldState.RELEASED, "interrupted")
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
    assert set(scene.store.committed.alerts) == {"unusable_usage:demo"}


@pytest.mark.parametrize("usage", [b"u 5 0", b"u 0 0", b"u 5 4503599627370496"])
def test_a_report_that_cannot_be_true_is_not_charged_by(scene: Scene, usage: bytes) -> None:
    scene.script(TEXT, TEXT, usage, END)
    call = scene.open(model="dear", limit=3)

    list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 2 * 2500, status=200)
    assert scene.hold.outcome.error == "incredible_usage"
    assert set(scene.store.committed.alerts) == {"unusable_usage:dear"}


def test_a_rough_count_at_an_absurd_price_is_stored_as_far_as_it_can_be(scene: Scene) -> None:
    scene.script(TEXT, END)
    # A hundred million dollars a token, for next to no credits.
    relay = RelayCall(
        charge=ChargeUsage(scene.commits, scene.store, scene.clock),
        prices=PriceList(scene.store, MemoryModelGateway([]), scene.clock),
        upstream=scene.upstream,
        tariff=Tariff(1, 10**37, "0"),
        pepper=PEPPER,
        clock=scene.clock,
        ids=SequentialIds(),
    )
    call = relay.open(TinyWire(), b'{"model": "absurd"}', secret=SECRET, call_id="call-1")

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


def test_a_call_that_nobody_iterates_is_resolved_by_its_close(scene: Scene) -> None:
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


def test_a_stream_that_is_interrupted_is_settled_by_its_close(scene: Scene) -> None:
    scene.script(TEXT, KeyboardInterrupt())
    call = scene.open()

    with pytest.raises(KeyboardInterrupt):
        list(call)
    call.close()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10, status=CLIENT_LEFT)


@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_of_the_other_kind_is_refused_and_costs_nothing(
    scene: Scene, stream: bool
) -> None:
    scene.script(TEXT, USAGE, END, streamed=not stream)

    with pytest.raises(UpstreamUnavailableError):
        scene.open(stream=stream)

    assert scene.hold.state is HoldState.RELEASED
    assert scene.answer.closed == 1


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"model": "unheard of"}, ModelNotFoundError),
        ({"model": "boundless", "prompt_bound": None}, InvalidRequestError),
        ({"model": "dear", "limit": 200}, InsufficientCreditsError),
    ],
)
def test_a_refused_call_holds_nothing_and_reaches_nobody(
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


def test_an_unknown_key_holds_nothing_and_reaches_nobody(scene: Scene) -> None:
    with pytest.raises(KeyRefusedError):
        scene.relay.open(TinyWire(), b"{}", secret=KeySecret("sk-cc-other"), call_id="call-1")

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
