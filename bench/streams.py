"""Streams: how soon they begin, how many events pass, what each keeps in memory."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.children import die_with_parent
from bench.installs import Installs, say
from bench.place import WIRE
from bench.procfs import cpu_seconds, machine_busy_seconds, memory_bytes, wait_until_quiet
from bench.standin import IDLE, INSTANT, PACED, TOKENS_PER_SECOND, StandIn, request_body
from bench.targets import Target
from bench.watchdog import worst_stall_s

PACED_STREAMS = (50, 400)
IDLE_STREAMS = 400
INSTANT_CLIENTS = 32
INSTANT_TOKENS = 100

_RAMP_S = 1.0
_GRACE_S = 12.0
_IDLE_LOOK_S = 2.5
_QUIET_TIMEOUT_S = 30.0
_MARGIN_S = 30.0


@dataclass(frozen=True, slots=True)
class StreamsRound:
    """One target under one load of streams, once.

    Attributes:
        target: Its name.
        load: ``paced``, ``instant`` or ``idle``.
        streams: How many at once.
        first_p50_ms: The median time from request to first token.
        first_p99_ms: Of a hundred streams, all but one began sooner.
        events_per_s: Events that clients received while all streams were open.
        finished: Streams that ended as they should, with all their tokens.
        unfinished: Streams still open when patience ended.
        errors: Streams that ended otherwise, by how.
        memory_kb_per_stream: What the target's memory grew by, for each stream.
        stall_ms: The worst stall of its event loop, where a watchdog looked.
        target_cores: How many cores the target kept busy, its database aside.
        standin_cores: How many the stand-in kept busy.
        other_cores: How many all the rest, the clients too, kept busy.
    """

    target: str
    load: str
    streams: int
    first_p50_ms: float | None
    first_p99_ms: float | None
    events_per_s: float
    finished: int
    unfinished: int
    errors: dict[str, int]
    memory_kb_per_stream: float
    stall_ms: float | None
    target_cores: float
    standin_cores: float
    other_cores: float

    @property
    def bad(self) -> int:
        """Streams that did not end as they should."""
        return sum(self.errors.values())

    def as_document(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class StreamsBench:
    """Measures targets in turns."""

    installs: Installs
    standin: StandIn

    def run(self, targets: Sequence[Target], *, rounds: int, seconds: int) -> list[StreamsRound]:
        """Measure idle streams once, on processes that are still small, then the rest."""
        found = []
        for target in targets:
            self._streams(target, self._instant_plan(target, clients=4, seconds=1))
            say(f"streams: {target.name}, {IDLE_STREAMS} idle")
            found.append(self._measure(target, "idle", IDLE_STREAMS, self._idle_plan(target)))
        for number in range(1, rounds + 1):
            for streams in PACED_STREAMS:
                for target in targets:
                    say(f"streams, round {number} of {rounds}: {target.name}, {streams} paced")
                    plan = self._paced_plan(target, streams=streams, seconds=seconds)
                    found.append(self._measure(target, "paced", streams, plan))
            for target in targets:
                say(f"streams, round {number} of {rounds}: {target.name}, instant")
                plan = self._instant_plan(target, clients=INSTANT_CLIENTS, seconds=seconds)
                found.append(self._measure(target, "instant", INSTANT_CLIENTS, plan))
        return found

    def _measure(
        self, target: Target, load: str, streams: int, plan: dict[str, Any]
    ) -> StreamsRound:
        database = () if target.database_pid is None else (target.database_pid,)
        wait_until_quiet({*target.pids, *database, self.standin.pid}, timeout_s=_QUIET_TIMEOUT_S)
        small = memory_bytes(target.pids)
        began, roots = time.monotonic(), (target.pids, (self.standin.pid,))
        before, busy = [cpu_seconds(pids) for pids in roots], machine_busy_seconds()
        told, large = self._streams(target, plan)
        ended, after = time.monotonic(), [cpu_seconds(pids) for pids in roots]
        busy = machine_busy_seconds() - busy
        own, standin = (late - early for early, late in zip(before, after, strict=True))
        elapsed = ended - began
        others = busy - own - (0.0 if target.name == "direct" else standin)
        stall = None
        if target.stalls is not None:
            stall = worst_stall_s(target.stalls, since=began, until=ended) * 1000
        from_s, to_s = plan["window_s"]
        return StreamsRound(
            target=target.name,
            load=load,
            streams=streams,
            first_p50_ms=told["first_p50_ms"],
            first_p99_ms=told["first_p99_ms"],
            events_per_s=told["events_in_window"] / (to_s - from_s),
            finished=told["finished"],
            unfinished=told["unfinished"],
            errors=told["errors"],
            memory_kb_per_stream=max(0, large - small) / 1000 / streams,
            stall_ms=stall,
            target_cores=own / elapsed,
            standin_cores=standin / elapsed,
            other_cores=max(0.0, others) / elapsed,
        )

    def _streams(self, target: Target, plan: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """Run the clients; return what they saw, and the target's memory in the middle."""
        with subprocess.Popen(  # noqa: S603 - a program that this package chose
            [str(self.installs.node()), str(WIRE / "streams.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this program has one thread
        ) as clients:
            try:
                assert clients.stdin  # noqa: S101 - piped above, which the type does not say
                clients.stdin.write(json.dumps(plan).encode())
                clients.stdin.close()
                clients.stdin = None
                time.sleep(plan["look_s"])
                memory = memory_bytes(target.pids)
                output, _ = clients.communicate(timeout=plan["deadline_s"] + _MARGIN_S)
            except BaseException:
                clients.kill()
                raise
        told: dict[str, Any] = json.loads(output)
        return told, memory

    @staticmethod
    def _plan(target: Target, *, model: str, tokens: int, **more: Any) -> dict[str, Any]:
        address = urlsplit(target.url)
        return {
            "host": address.hostname,
            "port": address.port,
            "path": "/v1/chat/completions",
            "headers": list(target.headers),
            "body": request_body(model, tokens=tokens),
            "tokens": tokens,
            "ramp_s": _RAMP_S,
            "stop_s": 0,
            **more,
        }

    def _paced_plan(self, target: Target, *, streams: int, seconds: int) -> dict[str, Any]:
        """Every stream lasts for the ramp and the window, in which all of them are open."""
        lasts_s = _RAMP_S + seconds
        return self._plan(
            target,
            model=PACED,
            tokens=int(TOKENS_PER_SECOND * lasts_s),
            streams=streams,
            window_s=[_RAMP_S, lasts_s],
            look_s=_RAMP_S + seconds / 2,
            deadline_s=lasts_s + _RAMP_S + _GRACE_S,
        )

    def _instant_plan(self, target: Target, *, clients: int, seconds: int) -> dict[str, Any]:
        return self._plan(
            target,
            model=INSTANT,
            tokens=INSTANT_TOKENS,
            streams=clients,
            ramp_s=0.0,
            window_s=[0.0, float(seconds)],
            stop_s=seconds,
            look_s=seconds / 2,
            deadline_s=seconds + _GRACE_S,
        )

    def _idle_plan(self, target: Target) -> dict[str, Any]:
        """One token, and then silence until the clients leave."""
        return self._plan(
            target,
            model=IDLE,
            tokens=2,
            streams=IDLE_STREAMS,
            window_s=[0.0, _IDLE_LOOK_S],
            look_s=_RAMP_S + _IDLE_LOOK_S,
            deadline_s=_RAMP_S + _IDLE_LOOK_S + 0.5,
        )
