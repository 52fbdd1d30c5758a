"""The charts of a usage report, and the tables that say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from adapters.flask_web.web.charts import BarChart, LineChart, Series, bars, lines
from adapters.flask_web.web.figures import paid_total
from adapters.flask_web.web.formatting import duration
from adapters.flask_web.web.slot_labels import label
from creditcore.domain.money import Credits
from creditcore.domain.periods import Slot
from creditcore.usecases.books.describe_usage import SlotUsage, UsageReport

_SHOWN_SINGLY = 6
OTHER = "Other"


@dataclass(frozen=True, slots=True)
class SpendChart:
    """What was spent in each slot, by what it is grouped by.

    Attributes:
        names: What each colour stands for, the most expensive first.
        rows: For each slot its label, and microcredits by name.
    """

    chart: BarChart
    names: Sequence[str]
    rows: Sequence[tuple[Slot, str, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class OutcomeChart:
    """How calls ended in each slot.

    Attributes:
        rows: For each slot its label, and calls by outcome.
    """

    chart: BarChart
    rows: Sequence[tuple[Slot, str, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class SpeedChart:
    """How long calls took in each slot.

    Attributes:
        rows: For each slot its label; latency p50 and p95, first byte p50 and p95, in ms.
    """

    chart: LineChart
    rows: Sequence[tuple[Slot, str, Sequence[int | None]]]


OUTCOMES = ("Done", "Cancelled", "Failed", "Refused")


def spend_chart(report: UsageReport, named: Callable[[tuple[str, str]], str]) -> SpendChart:
    """Stack what was spent, by what ``named`` calls a key and a model."""
    by_slot = [_spent(slot, named) for slot in report.slots]
    totals: Counter[str] = Counter()
    for spent in by_slot:
        totals.update(spent)
    ranked = [name for name, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))]
    shown, rest = ranked[:_SHOWN_SINGLY], ranked[_SHOWN_SINGLY:]
    names = [*shown, OTHER] if rest else shown
    rows = []
    for slot, spent in zip(report.slots, by_slot, strict=True):
        values = [spent[name] for name in shown]
        if rest:
            values.append(sum(spent[name] for name in rest))
        rows.append((slot.slot, label(slot.slot), values))
    series = [Series(name, [values[at] for _, _, values in rows]) for at, name in enumerate(names)]
    titles = [
        f"{text}: {paid_total(Credits(slot.tally.charge))} paid, {slot.tally.calls:,} calls"
        for (_, text, _), slot in zip(rows, report.slots, strict=True)
    ]
    return SpendChart(bars(series, titles), names, rows)


def outcome_chart(report: UsageReport) -> OutcomeChart:
    """Stack how calls ended."""
    rows = []
    for slot in report.slots:
        tally = slot.tally
        ends = (tally.done, tally.cancelled, tally.failed, tally.refused)
        rows.append((slot.slot, label(slot.slot), ends))
    series = [
        Series(name, [values[at] for _, _, values in rows]) for at, name in enumerate(OUTCOMES)
    ]
    titles = [
        f"{text}: " + ", ".join(f"{count:,} {name.lower()}" for name, count in
                                zip(OUTCOMES, ends, strict=True) if count)
        if any(ends) else f"{text}: none"
        for _, text, ends in rows
    ]  # fmt: skip
    return OutcomeChart(bars(series, titles), rows)


def speed_chart(report: UsageReport) -> SpeedChart:
    """Draw how long calls took: the middle one, and the one that 95 in 100 did not exceed."""
    rows = []
    for slot in report.slots:
        timing = slot.timing
        values = (*timing.latency.percentiles(50, 95), *timing.first_byte.percentiles(50, 95))
        rows.append((slot.slot, label(slot.slot), values))
    series = [
        Series(name, [values[at] for _, _, values in rows])
        for at, name in enumerate(("p50", "p95"))
    ]
    titles = [
        f"{text}: p50 {duration(values[0])}, p95 {duration(values[1] or 0)}"
        if values[0] is not None
        else f"{text}: none"
        for _, text, values in rows
    ]
    return SpeedChart(lines(series, titles), rows)


def _spent(slot: SlotUsage, named: Callable[[tuple[str, str]], str]) -> Counter[str]:
    spent: Counter[str] = Counter()
    for name, tally in slot.tallies.items():
        if tally.charge:
            spent[named(name)] += tally.charge
    return spent
