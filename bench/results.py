"""Everything one run found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from bench.calls import CallsRound
from bench.figures import Figure
from bench.growth import GrowthStep
from bench.ledger import LedgerRound
from bench.limits import LimitsCost
from bench.machine import BusyLoops
from bench.pages import PageTimes
from bench.streams import StreamsRound


@dataclass
class Results:
    """Rounds as they were measured; figures are made of them when asked for.

    Attributes:
        machine: What it ran on, and how busy that was.
        loops: What one and two processes could do there.
        missing: Why something was not measured, by its name.
        audits: What the books of each gateway said after the load.
    """

    machine: dict[str, Any]
    loops: BusyLoops
    missing: dict[str, str] = field(default_factory=dict)
    audits: dict[str, str] = field(default_factory=dict)
    calls: list[CallsRound] = field(default_factory=list)
    streams: list[StreamsRound] = field(default_factory=list)
    ledger: list[LedgerRound] = field(default_factory=list)
    growth: list[GrowthStep] = field(default_factory=list)
    pages: list[PageTimes] = field(default_factory=list)
    limits: LimitsCost | None = None

    def calls_of(self, target: str, concurrency: int) -> list[CallsRound]:
        """Return the rounds of one target at one concurrency."""
        return [
            found
            for found in self.calls
            if found.target == target and found.concurrency == concurrency
        ]

    def streams_of(self, target: str, load: str, streams: int) -> list[StreamsRound]:
        """Return the rounds of one target under one load."""
        wanted = (target, load, streams)
        return [
            found for found in self.streams if (found.target, found.load, found.streams) == wanted
        ]

    def call_figure(self, target: str, concurrency: int, name: str) -> Figure | None:
        """Return one figure of plain calls, if it was measured."""
        return _figure(self.calls_of(target, concurrency), name)

    def stream_figure(self, target: str, load: str, streams: int, name: str) -> Figure | None:
        """Return one figure of streams, if it was measured."""
        return _figure(self.streams_of(target, load, streams), name)

    def ledger_figure(self, name: str) -> Figure | None:
        """Return one figure of the ledger, if it was measured."""
        return _figure(self.ledger, name)

    def as_document(self) -> dict[str, Any]:
        """Return all of it for ``--json``."""
        return {
            "machine": self.machine,
            "busy_loops": asdict(self.loops),
            "missing": self.missing,
            "audits": self.audits,
            "calls": [found.as_document() for found in self.calls],
            "streams": [found.as_document() for found in self.streams],
            "ledger": [found.as_document() for found in self.ledger],
            "limits": self.limits.as_document() if self.limits else None,
            "growth": [found.as_document() for found in self.growth],
            "pages": [found.as_document() for found in self.pages],
        }


def _figure(rounds: Sequence[object], name: str) -> Figure | None:
    values = [value for found in rounds if (value := getattr(found, name)) is not None]
    return Figure.of(values) if values else None
