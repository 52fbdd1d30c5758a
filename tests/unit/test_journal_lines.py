"""A line of the journal has all that a settlement has."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from adapters.journal.lines import line_of, settlement_of
from creditcore import Basis, Credits, Outcome, Usage
from creditcore.domain.counting import Because, Counted
from creditcore.domain.settlements import Settlement

USAGE = Usage(
    prompt_tokens=70,
    completion_tokens=60,
    cached_tokens=5,
    cache_write_tokens=4,
    cache_write_1h_tokens=3,
    reasoning_tokens=2,
    units=1,
)
OUTCOME = Outcome(
    basis=Basis.COUNTED_OUTPUT,
    usage=USAGE,
    counted=Counted(Because.NOT_REPORTED, Because.CLIENT_LEFT),
    provider_cost_picodollars=11,
    reported_cost_picodollars=12,
    status=499,
    error="client_left",
    latency_ms=14,
    first_byte_ms=13,
)
SETTLEMENT = Settlement(
    reference="call-1",
    wallet_id="wallet-1",
    cost=Credits(15),
    outcome=OUTCOME,
    most=Credits(16),
)


def test_every_field_comes_back() -> None:
    for value in (USAGE, OUTCOME, OUTCOME.counted, SETTLEMENT):
        # A field that is added later belongs into the sample, and into the line.
        assert all(getattr(value, field.name) != field.default for field in fields(value))

    assert settlement_of(line_of(SETTLEMENT)) == SETTLEMENT


@pytest.mark.parametrize(
    "settlement",
    [
        replace(SETTLEMENT, most=None),
        replace(SETTLEMENT, outcome=Outcome()),
        replace(SETTLEMENT, outcome=replace(OUTCOME, usage=None, counted=Counted())),
    ],
)
def test_what_is_unknown_comes_back_unknown(settlement: Settlement) -> None:
    assert settlement_of(line_of(settlement)) == settlement


def test_a_line_that_was_written_by_half_is_no_settlement() -> None:
    line = line_of(SETTLEMENT)

    assert settlement_of(line[:-1]) is None
    assert settlement_of(line[:40] + b"\n") is None
