"""What is to be charged is noted before it is told, and kept up while a stream runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditcore import Basis, Credits, HoldState
from creditcore.domain.endings import INTERRUPTED
from creditcore.usecases.calls.recover_settlements import RecoverSettlements
from tests.unit.relaying import (
    END,
    FAILURE,
    HOLD,
    SECOND,
    TEXT,
    USAGE,
    Scene,
    a_scene,
    one_token_a_second,
)


@pytest.fixture
def scene() -> Iterator[Scene]:
    with a_scene() as found:
        yield found


def test_a_stream_is_noted_each_second_by_what_has_been_delivered(scene: Scene) -> None:
    scene.script(TEXT, TEXT, *one_token_a_second(3))
    call = scene.open()

    noted = [len(scene.journal.history) for _ in call]
    call.close()

    assert noted == [0, 0, 1, 2, 3]
    before_the_end = scene.journal.history[2]
    assert before_the_end.outcome.basis is Basis.COUNTED_OUTPUT
    assert before_the_end.outcome.error == INTERRUPTED
    # The estimate of the prompt, and five tokens: the last is about to leave.
    assert before_the_end.cost == Credits(20 + 5 * 10)


def test_silence_is_no_reason_to_note_nothing(scene: Scene) -> None:
    scene.script(TEXT, None)
    stream = iter(call := scene.open())

    next(stream)
    next(stream)

    assert [note.cost for note in scene.journal.history] == [Credits(20 + 10)]
    call.close()


def test_a_whole_document_is_noted_before_it_is_handed_over(scene: Scene) -> None:
    scene.script(USAGE, END, streamed=False)
    call = scene.open(stream=False)

    document = call.document()

    [note] = scene.journal.history
    assert note.cost == document.cost == Credits(5 + 70)
    assert note.outcome.basis is Basis.PROVIDER_USAGE


def test_what_costs_nothing_leaves_no_note(scene: Scene) -> None:
    scene.script(SECOND, SECOND, FAILURE)
    call = scene.open()

    list(call)
    call.close()

    assert (scene.hold.state, scene.hold.charged) == (HoldState.SETTLED, Credits(0))
    assert scene.journal.history == []


class Abandoned:
    """A journal whose process is no more."""

    def __init__(self, *notes: object) -> None:
        self.notes = notes
        self.discarded = False
        self.closed = False

    def abandoned(self) -> list[Abandoned]:
        return [] if self.discarded else [self]

    def settlements(self) -> tuple[object, ...]:
        return self.notes

    def discard(self) -> None:
        self.discarded = True

    def close(self) -> None:
        self.closed = True


def test_what_a_dead_process_noted_is_charged_once(scene: Scene) -> None:
    scene.script(*one_token_a_second(2), END)
    stream = iter(call := scene.open())
    next(stream)
    next(stream)
    # The process dies here: another finds its journal.
    left_behind = Abandoned(scene.journal.history[-1])
    recovery = RecoverSettlements(
        journals=left_behind,
        charge=call._charge,
        transactions=scene.store,
    )

    assert recovery.recover() == 1
    assert left_behind.discarded
    left_behind.discarded = False
    assert recovery.recover() == 0

    hold = scene.hold
    assert (hold.state, hold.charged) == (HoldState.SETTLED, Credits(20 + 20))
    assert hold.outcome.error == INTERRUPTED
    # A late settlement of the first process, were it alive after all, changes nothing.
    call.close()
    assert scene.hold == hold
    assert hold.amount == HOLD
