"""Calls go out with the caller's own key at the model server where there is one, else with ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from creditcore import HoldState
from creditcore.domain.errors import UpstreamFailedError
from creditcore.domain.mirrors import SyncStatus
from creditcore.domain.pricing import Tariff
from creditcore.ports.outgoing import LONG_BYTES
from creditcore.testing.memory_mirrors import MemoryUpstreamKeys
from creditcore.usecases.keys.mirror_keys import MirrorKeys
from creditcore.usecases.keys.upstream_keyring import FORGOTTEN_AFTER, UpstreamKeyring
from tests.unit.relaying import END, SECOND, TEXT, Scene, a_scene


@pytest.fixture
def scene() -> Iterator[Scene]:
    with a_scene() as found:
        yield found


@pytest.fixture
def mirrors(scene: Scene) -> MirrorKeys:
    return MirrorKeys(
        transactions=scene.store,
        clock=scene.clock,
        upstream=MemoryUpstreamKeys(),
        tariff=Tariff.parse(),
    )


def called_with(scene: Scene, number: int) -> list[str | None]:
    """Make a call, and return the keys that it was sent with."""
    before = len(scene.upstream.keys)
    scene.script(TEXT, END)
    call = scene.open(call_id=f"call-{number}")
    list(call)
    call.close()
    scene.commits.flush()
    assert scene.store.committed.holds[f"call-{number}"].state is HoldState.SETTLED
    return scene.upstream.keys[before:]


def test_a_call_goes_out_with_its_own_key_once_the_copy_is_in_line(
    scene: Scene, mirrors: MirrorKeys
) -> None:
    assert called_with(scene, 1) == [None]
    mirrors.sync_due()
    # Known only after a look, which calls never wait for.
    assert called_with(scene, 2) == [None]
    assert scene.keyring.refresh() == 1

    assert called_with(scene, 3) == ["sk-secret-of-key-1"]


def test_a_long_request_that_is_gone_when_its_copy_is_refused_is_asked_for_again(
    scene: Scene, mirrors: MirrorKeys
) -> None:
    called_with(scene, 1)
    mirrors.sync_due()
    scene.keyring.refresh()
    scene.upstream.refuses_keys = True

    with pytest.raises(UpstreamFailedError) as refused:
        scene.open(call_id="call-2", text="x" * LONG_BYTES)

    assert (refused.value.status, refused.value.retry_after_s) == (503, 1)
    # The next one goes out with our own key.
    assert called_with(scene, 3) == [None]


def test_a_copy_that_is_refused_costs_the_caller_nothing(scene: Scene, mirrors: MirrorKeys) -> None:
    called_with(scene, 1)
    mirrors.sync_due()
    scene.keyring.refresh()
    scene.upstream.refuses_keys = True

    assert called_with(scene, 2) == ["sk-secret-of-key-1", None]
    assert called_with(scene, 3) == [None]

    scene.keyring.refresh()
    [mirror] = scene.store.committed.mirrors.values()
    assert mirror.status is SyncStatus.PENDING
    mirrors.sync_due()
    scene.upstream.refuses_keys = False
    called_with(scene, 4)
    scene.keyring.refresh()
    assert called_with(scene, 5) == ["sk-secret-of-key-1"]


def test_keys_that_do_not_call_are_forgotten(scene: Scene, mirrors: MirrorKeys) -> None:
    called_with(scene, 1)
    mirrors.sync_due()
    assert scene.keyring.refresh() == 1

    scene.clock.advance(FORGOTTEN_AFTER + SECOND)

    assert scene.keyring.refresh() == 0


def test_shared_means_the_master_key_always(scene: Scene) -> None:
    keyring = UpstreamKeyring(
        transactions=scene.store, clock=scene.clock, upstream=MemoryUpstreamKeys(), wanted=False
    )

    assert keyring.secret_for("key-1") is None
    assert keyring.refresh() == 0
