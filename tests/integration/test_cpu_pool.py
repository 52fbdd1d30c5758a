"""Processor work has one thread, and a queue that ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import gevent
import pytest

from adapters.flask_web.server.cpu_pool import MAX_WAITING, CpuPool
from creditcore.domain.errors import OverloadedError

PATIENCE_S = 30


class Work:
    """Work that lasts until it is let go, and notes how much of it ran at a time."""

    def __init__(self) -> None:
        self.may_end = threading.Event()
        self.started = 0
        self.running = 0
        self.most = 0

    def __call__(self) -> str:
        self.started += 1
        self.running += 1
        self.most = max(self.most, self.running)
        assert self.may_end.wait(PATIENCE_S)
        self.running -= 1
        return "done"


@pytest.fixture
def work() -> Iterator[Work]:
    work = Work()
    yield work
    work.may_end.set()


def test_work_is_refused_while_the_queue_is_full(work: Work) -> None:
    pool = CpuPool("hashes", full="Come again.")
    admitted = [gevent.spawn(pool, work) for _ in range(1 + MAX_WAITING)]
    with gevent.Timeout(PATIENCE_S):
        while not work.started:
            gevent.sleep(0.001)

    one_more = gevent.spawn(pool, work)
    gevent.sleep(0)
    # Refused at once: it does not wait to be refused.
    with pytest.raises(OverloadedError, match="Come again"):
        one_more.get(block=False)
    assert (pool.use().taken, pool.use().waiting, pool.use().size) == (1, MAX_WAITING, 1)
    work.may_end.set()

    assert [greenlet.get(timeout=PATIENCE_S) for greenlet in admitted] == ["done"] * len(admitted)
    assert work.most == 1
    assert (pool.use().taken, pool.use().waiting) == (0, 0)
    assert pool(work) == "done"


def test_work_that_fails_leaves_its_place() -> None:
    pool = CpuPool("hashes", full="Come again.")

    def fail() -> None:
        raise ZeroDivisionError

    for _ in range(2 + MAX_WAITING):
        with pytest.raises(ZeroDivisionError):
            pool(fail)
