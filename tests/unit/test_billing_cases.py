"""The page about billing says what calls do: every basis that can be, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from adapters.flask_web.site.billing_cases import BILLING_CASES
from creditcore import Basis, HoldState, Usage
from creditcore.domain.errors import UpstreamError, UpstreamRejectedError, UpstreamUnavailableError
from creditcore.ports.inference import Explain, InferenceRequest, Receipt
from creditcore.usecases.calls.relayed_call import RelayedCall
from tests.unit.relaying import (
    DAY,
    END,
    FAILURE,
    SECOND,
    SECRET,
    TEXT,
    USAGE,
    Event,
    Scene,
    TinyMeter,
    TinyWire,
)

REPORTED, COUNTED, NONE = Basis.PROVIDER_USAGE, Basis.COUNTED_OUTPUT, Basis.NONE
BASES = {case.happens: set(case.bases) for case in BILLING_CASES}
NO_TEXT_WRITTEN = b"u 5 0"
UNPAID = b"unpaid"


def listen(call: RelayedCall) -> None:
    list(call)
    call.close()


def leave_midway(call: RelayedCall) -> None:
    next(iter(call))
    call.close()


def leave_at_once(call: RelayedCall) -> None:
    call.close()


@dataclass(frozen=True)
class End:
    """One thing that can happen, and what its charge must be computed from."""

    happens: str
    script: list[Event]
    basis: Basis
    listener: Callable[[RelayedCall], None] = listen


ENDS = [
    End("The answer is complete", [TEXT, USAGE, END], REPORTED),
    End(
        "The answer is complete, but the provider reports no usage that can be true",
        [TEXT, END],
        COUNTED,
    ),
    End(
        "The answer is complete, but the provider reports no usage that can be true",
        [TEXT, NO_TEXT_WRITTEN, END],
        COUNTED,
    ),
    End("The answer is empty", [NO_TEXT_WRITTEN, END], REPORTED),
    End("The answer is empty", [END], NONE),
    End("You close a stream early", [TEXT, TEXT, END], COUNTED, leave_midway),
    End("You close a stream early", [TEXT, TEXT, USAGE, END], REPORTED, leave_midway),
    End("You close it before any text", [None], COUNTED, leave_at_once),
    End("You close it before any text", [TEXT, USAGE, END], REPORTED, leave_at_once),
    *(
        End(
            "The stream breaks, or reports an error, after text has arrived",
            [TEXT, *usage, fault],
            basis,
        )
        for fault in (FAILURE, UpstreamUnavailableError())
        for usage, basis in (([], COUNTED), ([USAGE], REPORTED))
    ),
    *(
        End("The call fails before any text", [*usage, fault], basis)
        for fault in (FAILURE, UpstreamUnavailableError())
        for usage, basis in (([], NONE), ([USAGE], REPORTED))
    ),
]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: f"{end.happens}, {end.basis}")
def test_a_call_is_charged_by_what_the_page_says(scene: Scene, end: End) -> None:
    scene.script(*end.script)

    end.listener(scene.open())

    assert scene.hold.outcome.basis is end.basis
    assert end.basis in BASES[end.happens]


def test_the_page_says_nothing_that_was_not_seen() -> None:
    seen = {(end.happens, end.basis) for end in ENDS}
    claimed = {(case.happens, basis) for case in BILLING_CASES for basis in case.bases}

    # The tests below see these.
    rest = {(RUN_OUT, COUNTED), (RUN_OUT, REPORTED)}
    rest |= {(STOPPED, COUNTED), (STOPPED, REPORTED), (STOPPED, NONE)}
    assert claimed == seen | rest


@pytest.mark.parametrize("error", [UpstreamRejectedError("no", status=400), KeyboardInterrupt()])
def test_a_call_that_gets_no_answer_has_a_receipt_of_nothing(
    scene: Scene, error: BaseException
) -> None:
    scene.upstream.error = error

    with pytest.raises(type(error)):
        scene.open()

    assert (scene.hold.state, scene.hold.outcome.basis) == (HoldState.RELEASED, NONE)
    assert NONE in BASES["The call fails before any text"]


# -- the credits run out -------------------------------------------------------------------

RUN_OUT = "The credits run out while a stream is running"


class UnpaidMeter(TinyMeter):
    """Holds back an event that is not paid for, which may bring the usage too."""

    def feed(self, chunk: bytes) -> bytes:
        if not chunk.startswith(UNPAID):
            return super().feed(chunk)
        self.starved = True
        if chunk != UNPAID:
            self.usage = Usage(prompt_tokens=5, completion_tokens=7)
        return b""


class UnpaidWire(TinyWire):
    def meter(self, request: InferenceRequest, *, receipt: Receipt, explain: Explain) -> TinyMeter:
        super().meter(request, receipt=receipt, explain=explain)
        return UnpaidMeter()


@pytest.mark.parametrize(("event", "basis"), [(UNPAID, COUNTED), (UNPAID + USAGE, REPORTED)])
def test_running_out_of_credits_is_charged_by_what_the_page_says(
    scene: Scene, event: bytes, basis: Basis
) -> None:
    scene.script(TEXT, event, TEXT, END)

    listen(
        scene.relay.open(
            UnpaidWire(), scene.relay.prepare(UnpaidWire(), b"{}", call_id="call-1"), secret=SECRET
        )
    )

    outcome = scene.hold.outcome
    assert (outcome.basis, outcome.error) == (basis, "credits_exhausted")
    assert basis in BASES[RUN_OUT]


# -- no end at all -------------------------------------------------------------------------

STOPPED = "Our server stops in the middle of a call"


@pytest.mark.parametrize(("report", "basis"), [([], COUNTED), ([USAGE], REPORTED)])
def test_what_was_noted_before_our_server_died_is_charged(
    scene: Scene, report: list[Event], basis: Basis
) -> None:
    scene.script(TEXT, SECOND, *report, TEXT)
    call = scene.open()
    stream = iter(call)
    next(stream)
    next(stream)
    note = scene.journal.history[-1]

    call._charge.settle(call.hold, note.cost, outcome=note.outcome, most=note.most)

    assert (scene.hold.state, scene.hold.outcome.basis) == (HoldState.SETTLED, basis)
    assert basis in BASES[STOPPED]
    call.close()


def test_what_our_server_never_noted_costs_nothing(scene: Scene) -> None:
    scene.script(TEXT)
    call = scene.open()
    next(iter(call))
    scene.clock.advance(DAY)

    scene.relay._charge.expire()

    assert (scene.hold.state, scene.hold.outcome.basis) == (HoldState.EXPIRED, NONE)
    assert NONE in BASES[STOPPED]
    call.close()


def test_a_call_that_is_refused_has_no_receipt(scene: Scene) -> None:
    scene.upstream.down = True

    with pytest.raises(UpstreamError):
        scene.open()

    scene.commits.flush()
    assert not scene.store.committed.holds
    [refused] = [case.happens for case in BILLING_CASES if not case.bases]
    assert refused.startswith("The request is refused before it runs")
