"""The thread that commits: how it starts, what a fork leaves of it, how it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from creditcore import GroupCommit
from creditcore.domain.errors import StoreUnavailableError
from creditcore.testing.memory import FixedClock
from tests.stack import PATIENCE_S, wait_until
from tests.unit.group_commit.observed import UNAVAILABLE, Note, ObservedStore, hold_up, waiting


def test_close_finishes_what_waits_and_refuses_what_comes_later(
    observed: ObservedStore, callers: ThreadPoolExecutor
) -> None:
    commits = GroupCommit(transactions=observed, clock=FixedClock())
    first = hold_up(observed, commits, callers)
    for number in range(200):
        commits.run_later(Note(f"settlement-{number}"))
    closing = callers.submit(commits.close)
    wait_until(commits._closing.is_set)
    late = callers.submit(commits.run, Note("late"))
    wait_until(lambda: late.done() or waiting(commits) > 200)

    observed.open_gate.set()
    closing.result(PATIENCE_S)

    assert isinstance(late.exception(PATIENCE_S), StoreUnavailableError)
    assert first.result(PATIENCE_S) == "done first"
    assert len(observed.stored) == 201
    assert "late" not in observed.stored


def test_close_does_not_wait_for_a_database_that_is_gone(
    observed: ObservedStore, caplog: pytest.LogCaptureFixture
) -> None:
    observed.fail_always(UNAVAILABLE)
    commits = GroupCommit(transactions=observed, clock=FixedClock())
    commits.run_later(Note("settlement"))
    wait_until(lambda: observed.begun)

    commits.close()

    assert commits._thread is not None
    assert not commits._thread.is_alive()
    # Its hold stays open until it expires: somebody may want to know why.
    assert ["settlement" in record.getMessage() for record in caplog.records] == [True]


def test_a_forked_child_starts_anew(observed: ObservedStore, commits: GroupCommit) -> None:
    commits.run(Note("parent"))
    parents_thread = commits._thread
    # What a fork leaves behind: the same object, another process, no thread.
    commits._pid = os.getpid() + 1
    commits._waiting.append(None)  # type: ignore[arg-type]

    assert commits.run(Note("child")) == "done child"

    assert commits._thread is not parents_thread
    assert observed.stored == {"parent", "child"}


@pytest.mark.parametrize("work", [GroupCommit.flush, GroupCommit.close])
def test_a_forked_child_waits_for_nothing_of_its_parents(
    commits: GroupCommit, callers: ThreadPoolExecutor, work: Callable[[GroupCommit], None]
) -> None:
    commits.run(Note("parent"))
    # Forked in the middle of something: what was waiting there is answered in the parent.
    commits._changing.acquire()
    commits._waiting.append(None)  # type: ignore[arg-type]
    commits._pid = os.getpid() + 1

    callers.submit(work, commits).result(PATIENCE_S)


def test_a_thread_that_could_not_be_started_is_started_by_the_next_caller(
    commits: GroupCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as limited:
        limited.setattr(threading.Thread, "start", _cannot_start)
        with pytest.raises(RuntimeError):
            commits.run(Note("unlucky"))

    assert commits.run(Note("next")) == "done next"


def _cannot_start(_thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")
