"""A call whose client goes away while the model is silent is given up, and charged for what ran."""

from __future__ import annotations

from contextlib import closing

import pytest

from creditcore import Basis, HoldState
from creditcore.domain.errors import ClientLeftError
from creditcore.domain.money import ZERO
from tests.unit.relaying import END, PING, TEXT, USAGE, Event, LeavingClient, Scene


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_leaves_before_the_answer_pays_for_its_prompt(
    scene: Scene, *, stream: bool
) -> None:
    scene.upstream.error = ClientLeftError()

    with pytest.raises(ClientLeftError):
        scene.open(stream=stream)

    # A stream that is closed before any text is charged the same.
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20, status=499)
    # How long it waited in vain is no time to a first byte.
    assert scene.hold.outcome.first_byte_ms is None


def test_a_client_that_leaves_before_its_request_was_sent_pays_nothing(scene: Scene) -> None:
    scene.upstream.error = ClientLeftError(was_sent=False)

    with pytest.raises(ClientLeftError):
        scene.open()

    hold = scene.hold
    assert (hold.state, hold.charged, hold.outcome.status) == (HoldState.RELEASED, ZERO, 499)


@pytest.mark.parametrize("after", [[], [TEXT, TEXT]])
def test_a_client_that_leaves_a_silent_stream_is_noticed_at_the_first_silence(
    scene: Scene, after: list[Event]
) -> None:
    scene.script(*after, None, None, None)

    with closing(scene.open(client=LeavingClient(looks=1))) as call:
        passed = list(call)

    assert passed == [*after, PING]
    scene.expect_charge(Basis.COUNTED_OUTPUT, 20 + 10 * len(after), status=499)
    assert scene.answer.closed == 1


def test_a_client_that_leaves_a_silent_document_is_noticed(scene: Scene) -> None:
    scene.script(TEXT, None, None, None, streamed=False)

    with (
        closing(scene.open(stream=False, client=LeavingClient())) as call,
        pytest.raises(ClientLeftError),
    ):
        call.document()

    scene.expect_charge(Basis.COUNTED_OUTPUT, 30, status=499)


def test_a_client_that_stays_is_waited_for(scene: Scene) -> None:
    scene.script(None, None, TEXT, USAGE, END)

    with closing(scene.open(client=LeavingClient(looks=1_000))) as call:
        list(call)

    scene.expect_charge(Basis.PROVIDER_USAGE, 75, status=200)
