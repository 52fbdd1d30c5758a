"""Limits per minute that several processes share, on a real Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import pytest
import redis

from adapters.redis_counters.counters import RedisCounters
from creditcore import SystemClock
from creditcore.domain.errors import LimitReachedError
from creditcore.domain.rates import Charge
from creditcore.usecases.calls.process_counters import ProcessCounters
from tests.stack import wait_until

PROCESSES = 4


@dataclass
class Server:
    """A Redis server of our own."""

    port: int
    process: subprocess.Popen[bytes] | None = None
    alerts: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, folder: Path) -> None:
        program = shutil.which("redis-server")
        assert program, "install redis-server to run these tests"
        self.process = subprocess.Popen(
            [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "",
             "--dir", str(folder)],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self._answers)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()

    def _answers(self) -> bool:
        with redis.Redis(port=self.port) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def counters(self) -> RedisCounters:
        return RedisCounters(
            self.url,
            fallback=ProcessCounters(clock=SystemClock()),
            alert=lambda: self.alerts.append("down"),
        )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(port)
    server.start(tmp_path)
    yield server
    server.stop()


def requests(limit: int = 20, amount: int = 1, name: str = "key") -> Charge:
    return Charge(f"{name}:requests", "requests", limit, amount)


def tokens(limit: int, amount: int, name: str = "key") -> Charge:
    return Charge(f"{name}:tokens", "tokens", limit, amount)


def _admitted(url: str, name: str, times: int) -> int:
    counters = RedisCounters(url, fallback=ProcessCounters(clock=SystemClock()))

    def call(_: int) -> bool:
        try:
            counters.take([requests(name=name)])
        except LimitReachedError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(call, range(times)))


def test_processes_share_one_limit(server: Server) -> None:
    name = uuid.uuid4().hex
    began = time.monotonic()

    with get_context("spawn").Pool(PROCESSES) as pool:
        admitted = sum(pool.starmap(_admitted, [(server.url, name, 125)] * PROCESSES))

    elapsed_s = time.monotonic() - began
    assert 20 <= admitted <= 20 + int(elapsed_s / 3)


def test_a_refusal_takes_from_no_limit(server: Server) -> None:
    counters = server.counters()
    counters.take([requests(), tokens(100, 90)])

    for _ in range(5):
        with pytest.raises(LimitReachedError) as refusal:
            counters.take([requests(), tokens(100, 90)])
    standing, _ = counters.take([requests(), tokens(100, 1)])

    assert refusal.value.limit == "tokens"
    assert 40_000_000 < refusal.value.retry_after_us <= 48_000_000
    assert standing.remaining == 18


def test_what_was_not_used_comes_back(server: Server) -> None:
    counters = server.counters()
    counters.take([tokens(1000, 1000)])

    counters.correct(tokens(1000, 1000), -900)
    (standing,) = counters.take([tokens(1000, 500)])

    assert 400 <= standing.remaining <= 420


def test_more_than_was_taken_has_to_be_waited_for(server: Server) -> None:
    counters = server.counters()
    counters.take([tokens(1000, 1000)])
    counters.correct(tokens(1000, 1000), 1000)

    with pytest.raises(LimitReachedError) as refusal:
        counters.take([tokens(1000, 1)])

    assert refusal.value.retry_after_us > 59_000_000


def test_giving_back_makes_no_limit_larger(server: Server) -> None:
    counters = server.counters()

    counters.correct(requests(), -10)
    counters.take([requests()])
    counters.correct(requests(), -10)
    (standing,) = counters.take([requests()])

    assert standing.remaining == 19


def test_the_clock_of_a_host_is_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    counters = server.counters()
    counters.take([requests(limit=1)])
    now = time.time

    for step_s in (86_400, -86_400):
        monkeypatch.setattr("time.time", lambda step_s=step_s: now() + step_s)
        with pytest.raises(LimitReachedError) as refusal:
            counters.take([requests(limit=1)])
        assert refusal.value.retry_after_us <= 60_000_000


def test_a_count_is_gone_when_it_has_come_back(server: Server) -> None:
    counters = server.counters()
    counters.take([requests(limit=60_000)])

    with redis.Redis(port=server.port) as client:
        wait_until(lambda: client.dbsize() == 0)


def test_without_redis_the_process_counts_and_says_so_once(server: Server) -> None:
    counters = server.counters()
    counters.take([requests(limit=2)])
    server.stop()

    for _ in range(2):
        counters.take([requests(limit=2)])
    with pytest.raises(LimitReachedError):
        counters.take([requests(limit=2)])
    counters.correct(requests(limit=2), -1)
    counters.take([requests(limit=2)])

    assert server.alerts == ["down"]


def test_redis_counts_again_when_it_is_back(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.redis_counters.counters.PAUSE_S", 0.0)
    counters = server.counters()
    server.stop()
    counters.take([requests(limit=1)])
    server.start(tmp_path)

    counters.take([requests(limit=1)])

    with pytest.raises(LimitReachedError):
        server.counters().take([requests(limit=1)])
