"""A call as small as can be, between a wallet and a model server that follows a script."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import MappingProxyType

from creditcore import (
    AuditBooks,
    Basis,
    ChargeUsage,
    Credits,
    GroupCommit,
    Hold,
    HoldState,
    KeySecret,
    ModelPrice,
    Rates,
    Tariff,
    Usage,
)
from creditcore.domain.errors import (
    UpstreamError,
    UpstreamFailedError,
    UpstreamKeyRefusedError,
    UpstreamUnavailableError,
)
from creditcore.domain.money import ZERO
from creditcore.domain.rates import Standing
from creditcore.domain.units import Extent, Unit, UnitPrice
from creditcore.ports.clients import UNSEEN, Client
from creditcore.ports.inference import (
    ErrorFacts,
    Explain,
    HeardWire,
    InferenceRequest,
    OfferedModel,
    Receipt,
)
from creditcore.ports.outgoing import OutgoingBody
from creditcore.ports.prompt_counts import PromptCount, PromptText
from creditcore.testing.contracts import a_key, a_wallet
from creditcore.testing.journal import MemoryJournal
from creditcore.testing.memory import (
    FixedClock,
    MemoryModelGateway,
    MemoryTransactions,
    SequentialIds,
)
from creditcore.testing.memory_mirrors import MemoryUpstreamKeys
from creditcore.usecases.calls.count_prompt import CountPrompt
from creditcore.usecases.calls.counting_turns import CountingTurns
from creditcore.usecases.calls.patience import Patience
from creditcore.usecases.calls.price_list import PriceList
from creditcore.usecases.calls.relay_call import RelayCall
from creditcore.usecases.calls.relayed_call import RelayedCall
from creditcore.usecases.keys.upstream_keyring import UpstreamKeyring

PEPPER = b"pepper"
SECRET = KeySecret.generate(lambda alphabet: alphabet[0])
PING = b": ping\n\n"
TEXT = b"t"
USAGE = b"u 5 7"
END = b"end"
FAILURE = b"failed"
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
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
    reported_cost: str | None = None

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

    def explain(self, error: object) -> UpstreamError:
        return UpstreamFailedError(str(error), status=502)

    def close(self) -> None:
        self.closed += 1


@dataclass
class ScriptedUpstream:
    """A model server with one answer, or one error."""

    answer: ScriptedAnswer
    error: BaseException | None = None
    down: bool = False
    sent: list[bytes] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    refuses_keys: bool = False

    def check(self) -> None:
        if self.down:
            raise UpstreamUnavailableError

    def send(
        self,
        wire: HeardWire,
        body: OutgoingBody,
        *,
        model: str,
        stream: bool,
        call_id: str,
        key: str | None = None,
        client: Client = UNSEEN,
    ) -> ScriptedAnswer:
        assert wire.endpoint
        assert model
        assert isinstance(stream, bool)
        assert call_id
        self.sent.append(body.data)
        self.keys.append(key)
        if body.is_long:
            body.forget()
            client.request_sent()
        if key is not None and self.refuses_keys:
            raise UpstreamKeyRefusedError
        if self.error is not None:
            raise self.error
        return self.answer


@dataclass
class LeavingClient:
    """A client that is looked after so many times before it leaves.

    Attributes:
        request_gone: Whether its long request is kept no more.
    """

    looks: int = 0
    request_gone: bool = False

    def has_left(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def request_sent(self) -> None:
        self.request_gone = True


class TinyMeter:
    """Counts ``t``; knows ``u P C`` as usage, ``$ X`` as a cost, ``end`` and ``failed``."""

    def __init__(self) -> None:
        self.budget: int | None = None
        self.limit: int | None = None
        self.starved = False
        self.usage: Usage | None = None
        self.delivered_tokens = 0
        self.complete = False
        self.is_outdated = False
        self.failure: UpstreamError | None = None
        self.error: str | None = None
        self.reported_cost: str | None = None

    def feed(self, chunk: bytes) -> bytes:
        if chunk.startswith(b"u "):
            _, prompt, completion = chunk.split()
            self.usage = Usage(prompt_tokens=int(prompt), completion_tokens=int(completion))
            self.is_outdated = False
            return b""
        if chunk.startswith(b"$ "):
            self.reported_cost = chunk.removeprefix(b"$ ").decode()
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
    limit_field = "max_tokens"
    key_header: str = "api-key"
    id_headers = ("x-request-id",)
    version_header: str | None = None
    upstream_headers: Mapping[str, str] = MappingProxyType({})

    def hearing(self, header: Callable[[str], str | None]) -> TinyWire:
        assert callable(header)
        return self

    def parse(self, body: bytes) -> InferenceRequest:
        fields = json.loads(body)
        return InferenceRequest(
            units={Unit.IMAGE: Extent(most=3, about=2)},
            model=fields.get("model", "demo"),
            stream=fields.get("stream", True),
            wants_usage=False,
            prompt_bound=fields.get("prompt_bound", 100),
            output_limit=fields.get("limit", 50),
            choices=1,
            prompt_estimate=20,
            fields=fields,
        )

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        said = request.fields.get("said")
        return PromptText((("user", said),), len(said)) if said else None

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        return json.dumps({**request.fields, "bound": output_bound}).encode()

    def rest(self) -> None:
        return None

    def media_type(self, _request: InferenceRequest) -> str:
        return "application/json"

    def meter(self, request: InferenceRequest, *, receipt: Receipt, explain: Explain) -> TinyMeter:
        assert request.model
        assert callable(receipt)
        assert callable(explain)
        return TinyMeter()

    def limit_headers(self, standings: Sequence[Standing]) -> list[tuple[str, str]]:
        return [(f"left-{standing.unit}", str(standing.remaining)) for standing in standings]

    def model_document(self, model: OfferedModel) -> bytes:
        return model.model.encode()

    def model_list(self, models: Sequence[OfferedModel], *, query: str) -> bytes:
        return ",".join([query, *(model.model for model in models)]).encode()

    def error_document(self, error: ErrorFacts, *, call_id: str) -> bytes:
        assert error.message
        return f"error {error.kind} {error.code} {call_id}".encode()

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:
        assert message
        return f"error {kind} {code}".encode()


@dataclass
class Scene:
    """A funded wallet, a model server that follows a script, and the use case between them."""

    store: MemoryTransactions
    clock: FixedClock
    commits: GroupCommit
    journal: MemoryJournal
    keyring: UpstreamKeyring
    upstream: ScriptedUpstream
    counts: ScriptedCounts
    relay: RelayCall

    @property
    def answer(self) -> ScriptedAnswer:
        return self.upstream.answer

    def script(self, *events: Event, streamed: bool = True) -> None:
        self.answer.script.extend(events)
        self.answer.streamed = streamed

    def open(
        self, *, call_id: str = "call-1", client: Client = UNSEEN, **fields: object
    ) -> RelayedCall:
        body = json.dumps(fields).encode()
        prepared = self.relay.prepare(TinyWire(), body, call_id=call_id)
        return self.relay.open(TinyWire(), prepared, secret=SECRET, client=client)

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


@dataclass
class ScriptedCounts:
    """Who counts prompts, as a test says.

    Attributes:
        answer: The count; None where no answer comes.
        asked: The texts that were to be counted.
        meanwhile: What happens before the answer is there.
    """

    answer: PromptCount | None = None
    asked: list[PromptText] = field(default_factory=list)
    meanwhile: Callable[[], object] = lambda: None

    def count(self, model: str, text: PromptText) -> PromptCount | None:
        assert model
        self.asked.append(text)
        self.meanwhile()
        return self.answer


@contextmanager
def a_scene() -> Iterator[Scene]:
    """Run a test, and see afterwards that the books are clean and nothing is held."""
    store, clock = MemoryTransactions(), FixedClock()
    wallet = a_wallet(store, posted=10_000)
    with store.begin() as tx:
        tx.keys.add(a_key(wallet, key_hash=SECRET.hash(PEPPER)))
        tx.commit()
    models = [
        ModelPrice(model="demo", rates=RATES, max_input_tokens=1000, max_output_tokens=200),
        ModelPrice(model="boundless", rates=RATES),
        ModelPrice(model="lengthy", rates=replace(RATES, output=5, reasoning=5)),
        ModelPrice(model="absurd", rates=replace(RATES, output=10**38), max_output_tokens=200),
        ModelPrice(model="pictures", rates=RATES, unit=UnitPrice(Unit.IMAGE, 7)),
        ModelPrice(model="dear", rates=replace(RATES, output=2500), max_output_tokens=200),
    ]
    prices = PriceList(transactions=store, gateway=MemoryModelGateway(models), clock=clock)
    prices.refresh()
    upstream = ScriptedUpstream(ScriptedAnswer(clock, deque()))
    counts = ScriptedCounts()
    journal = MemoryJournal()
    keyring = UpstreamKeyring(transactions=store, clock=clock, upstream=MemoryUpstreamKeys())
    with GroupCommit(transactions=store, clock=clock) as commits:
        relay = RelayCall(
            charge=ChargeUsage(commits=commits, transactions=store, clock=clock),
            journal=journal,
            keyring=keyring,
            prices=prices,
            upstream=upstream,
            tariff=Tariff(1, 1, "1"),
            pepper=PEPPER,
            clock=clock,
            ids=SequentialIds(),
            patience=Patience(),
            counting=CountPrompt(counts, CountingTurns(clock=clock)),
        )
        yield Scene(store, clock, commits, journal, keyring, upstream, counts, relay)
    assert AuditBooks(transactions=store).audit().clean
    assert store.committed.wallets["wallet-1"].held == ZERO
    assert not journal.noted
