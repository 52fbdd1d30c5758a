"""Failed calls by model and error: a chart, and the tables that say the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.flask_web.web.charts import BarChart, Series, bars
from adapters.flask_web.web.formatting import error_words
from adapters.flask_web.web.slot_labels import label
from creditcore.domain.money import div_ceil
from creditcore.domain.periods import Slot
from creditcore.domain.usage_hours import NOTHING_USED, Tally
from creditcore.ports.usage_hours import ErrorCount

_SHOWN_SINGLY = 5
_LINES = 20
OTHER = "Other"


@dataclass(frozen=True, slots=True)
class FailureLine:
    """How many calls of one model failed by one error.

    Attributes:
        judged: Calls of the model that no client cancelled: what success is counted of.
    """

    model: str
    error: str
    calls: int
    judged: int

    @property
    def per_mille(self) -> int | None:
        """How many of a thousand calls failed so, rounded up: never none for some."""
        return div_ceil(1000 * self.calls, self.judged) if self.judged else None


@dataclass(frozen=True, slots=True)
class Failures:
    """Calls that failed in a period.

    Attributes:
        names: What each colour stands for, the most frequent first.
        rows: For each slot its label, and calls by name.
        lines: By model and error, the most frequent first; the rarest are left out.
        left_out: How many calls those are.
    """

    chart: BarChart
    names: Sequence[str]
    rows: Sequence[tuple[Slot, str, Sequence[int]]]
    lines: Sequence[FailureLine]
    calls: int
    left_out: int


def failures_shown(
    slots: Sequence[Slot], counts: Sequence[ErrorCount], by_model: Mapping[str, Tally]
) -> Failures:
    """Stack failures by what went wrong, and list them by model.

    Args:
        slots: The slots of the period; a count's span is the number of one.
        counts: What failed.
        by_model: What all calls of the period come to.
    """
    by_error: Counter[str] = Counter()
    by_line: Counter[tuple[str, str]] = Counter()
    by_slot: list[Counter[str]] = [Counter() for _ in slots]
    for count in counts:
        calls = count.tally.failed
        by_error[count.error] += calls
        by_line[count.model, count.error] += calls
        by_slot[count.span][count.error] += calls
    ranked = [error for error, _ in sorted(by_error.items(), key=lambda each: (-each[1], each[0]))]
    shown, rest = ranked[:_SHOWN_SINGLY], ranked[_SHOWN_SINGLY:]
    rows = []
    for slot, found in zip(slots, by_slot, strict=True):
        values = [found[error] for error in shown]
        if rest:
            values.append(sum(found[error] for error in rest))
        rows.append((slot, label(slot), values))
    names = [error_words(error).rstrip(".") for error in shown] + ([OTHER] if rest else [])
    series = [Series(name, [values[at] for _, _, values in rows]) for at, name in enumerate(names)]
    lines = [
        FailureLine(model, error, calls, _judged(by_model.get(model, NOTHING_USED)))
        for (model, error), calls in sorted(by_line.items(), key=lambda each: (-each[1], each[0]))
    ]
    return Failures(
        bars(series, [_title(text, names, values) for _, text, values in rows]),
        names,
        rows,
        lines[:_LINES],
        by_error.total(),
        sum(line.calls for line in lines[_LINES:]),
    )


def _judged(tally: Tally) -> int:
    return tally.calls - tally.cancelled


def _title(text: str, names: Sequence[str], values: Sequence[int]) -> str:
    said = [f"{count:,} {name}" for name, count in zip(names, values, strict=True) if count]
    return f"{text}: " + ("; ".join(said) if said else "none")
