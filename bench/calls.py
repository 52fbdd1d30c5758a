"""Plain calls: throughput, latency, and what they cost the machine."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.installs import Installs, say
from bench.place import WIRE, Place
from bench.procfs import cpu_seconds, machine_busy_seconds, memory_bytes, wait_until_quiet
from bench.standin import StandIn, request_body
from bench.targets import Target
from bench.watchdog import worst_stall_s

CONCURRENCIES = (1, 32, 256)

_WARM_UP_S = 2
_QUIET_TIMEOUT_S = 30.0
_CALL_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class CallsRound:
    """One target under one load, once.

    Attributes:
        target: Its name.
        concurrency: Connections, each with one call at a time.
        rate: Answered calls a second, refusals included.
        p50_ms: The median time of a call; None where not one was answered in time.
        p99_ms: Of a hundred calls, all but one were faster.
        bad: Answers that were not 2xx, and connections that broke.
        calls: All answers.
        cpu_per_1000: CPU seconds of the target for 1,000 calls.
        database_cpu_per_1000: The same of its database.
        memory_mb: What the target keeps in memory, in MB.
        stall_ms: The worst stall of its event loop, where a watchdog looked.
        target_cores: How many cores the target and its database kept busy.
        generator_cores: How many cores the load generator kept busy.
        standin_cores: How many the stand-in kept busy.
        other_cores: How many something else on the machine kept busy.
    """

    target: str
    concurrency: int
    rate: float
    p50_ms: float | None
    p99_ms: float | None
    bad: int
    calls: int
    cpu_per_1000: float | None
    database_cpu_per_1000: float | None
    memory_mb: float
    stall_ms: float | None
    target_cores: float
    generator_cores: float
    standin_cores: float
    other_cores: float

    @property
    def busy_cores(self) -> float:
        """How many cores of the machine were busy, with any program."""
        return self.target_cores + self.generator_cores + self.standin_cores + self.other_cores

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CallsBench:
    """Measures targets in turns, so that a noisy minute harms all of them alike."""

    installs: Installs
    place: Place
    standin: StandIn

    def run(self, targets: Sequence[Target], *, rounds: int, seconds: int) -> list[CallsRound]:
        """Measure every target at every concurrency, ``rounds`` times."""
        for target in targets:
            self.load(target, 32, _WARM_UP_S)
        found = []
        for number in range(1, rounds + 1):
            for concurrency in CONCURRENCIES:
                for target in targets:
                    say(f"calls, round {number} of {rounds}: {target.name} at {concurrency}")
                    found.append(self._measure(target, concurrency, seconds))
        return found

    def _measure(self, target: Target, concurrency: int, seconds: int) -> CallsRound:
        database = () if target.database_pid is None else (target.database_pid,)
        everything = {*target.pids, *database, self.standin.pid}
        # What the round before left behind is not this one's.
        wait_until_quiet(everything, timeout_s=_QUIET_TIMEOUT_S)
        roots = (target.pids, database, (self.standin.pid,))
        began, before = time.monotonic(), [cpu_seconds(pids) for pids in roots]
        busy, generator = machine_busy_seconds(), _reaped_cpu_seconds()
        told = self.load(target, concurrency, seconds)
        ended, after = time.monotonic(), [cpu_seconds(pids) for pids in roots]
        busy, generator = machine_busy_seconds() - busy, _reaped_cpu_seconds() - generator
        own, database_own, standin = (
            late - early for early, late in zip(before, after, strict=True)
        )
        ours = generator + own + database_own + (0.0 if target.name == "direct" else standin)
        elapsed, calls = ended - began, int(told["calls"])
        stall = None
        if target.stalls is not None:
            stall = worst_stall_s(target.stalls, since=began, until=ended) * 1000
        return CallsRound(
            target=target.name,
            concurrency=concurrency,
            rate=calls / told["seconds"],
            p50_ms=told["p50_ms"] if calls else None,
            p99_ms=told["p99_ms"] if calls else None,
            bad=int(told["refused"] + told["broken"]),
            calls=calls,
            cpu_per_1000=1000 * own / calls if calls else None,
            database_cpu_per_1000=1000 * database_own / calls if calls else None,
            memory_mb=memory_bytes(target.pids) / 1e6,
            stall_ms=stall,
            target_cores=(own + database_own) / elapsed,
            generator_cores=generator / elapsed,
            standin_cores=standin / elapsed,
            other_cores=max(0.0, busy - ours) / elapsed,
        )

    def load(self, target: Target, concurrency: int, seconds: int) -> dict[str, float]:
        """Send calls for a while, and return what the load generator saw."""
        wrk = self.installs.wrk()
        headers = self.place.run / f"{target.name}.headers"
        headers.write_text(
            "".join(
                "|".join(f"{name}: {value}" for name, value in each.items()) + "\n"
                for each in target.headers
            )
        )
        done = subprocess.run(  # noqa: S603 - a program that this package chose
            [
                *(str(wrk.path), "-t1", f"-c{concurrency}", f"-d{seconds}s", "--latency"),
                *(f"--timeout={_CALL_TIMEOUT_S}s", "-s", str(WIRE / "calls.lua")),
                *(f"{target.url}/v1/chat/completions", json.dumps(request_body()), str(headers)),
            ],
            env={**os.environ, **wrk.environ},
            check=True,
            capture_output=True,
            text=True,
            timeout=seconds + 60,
        )
        told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return told


def _reaped_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
