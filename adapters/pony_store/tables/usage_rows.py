"""Rows of what was used: added to what is stored, in one statement for many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from creditcore.domain.usage_hours import (
    FIGURES,
    NOTHING_MEASURED,
    NOTHING_USED,
    Histogram,
    Tally,
    Timing,
    figures,
)

from ..session import Session, chunks, flat, tuples

_ROWS_PER_STATEMENT = 500
_HISTS = ("latency_hist", "first_byte_hist")

Name = tuple[Any, ...]
"""The values of a row's primary key."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What a row keeps.

    Attributes:
        oldest: When the first of its calls began, in microseconds since 1970.
    """

    tally: Tally = NOTHING_USED
    oldest: int | None = None
    timing: Timing = NOTHING_MEASURED

    def __add__(self, other: Counted) -> Counted:
        begun = [each.oldest for each in (self, other) if each.oldest is not None]
        return Counted(
            self.tally + other.tally, min(begun, default=None), self.timing + other.timing
        )


@dataclass(frozen=True, slots=True)
class RowsOf:
    """A table of figures or, without them, of histograms alone.

    Attributes:
        key: The columns of its primary key.
    """

    table: str
    key: tuple[str, ...]
    has_figures: bool = True

    def add(self, session: Session, counted: Mapping[Name, Counted]) -> None:
        """Add to the rows there are, and make those there are not."""
        names = sorted(counted)
        for some in chunks(names, _ROWS_PER_STATEMENT):
            stored = self._stored_timings(session, some)
            values = []
            for name in some:
                each = counted[name]
                whole = stored.get(name, NOTHING_MEASURED) + each.timing
                mine = (*figures(each.tally), each.oldest) if self.has_figures else ()
                values.append((*name, *mine, whole.latency.pack(), whole.first_byte.pack()))
            session.change(
                f"INSERT INTO {self.table} ({', '.join(self._columns)}) VALUES {tuples(values)}"
                f" ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {self._added}",
                flat(values),
            )

    @property
    def _columns(self) -> Sequence[str]:
        mine = (*FIGURES, "oldest_created_at") if self.has_figures else ()
        return (*self.key, *mine, *_HISTS)

    @property
    def _added(self) -> str:
        sets = [f"{name} = excluded.{name}" for name in _HISTS]
        if self.has_figures:
            sets += [f"{name} = {self.table}.{name} + excluded.{name}" for name in FIGURES]
            stored, new = f"{self.table}.oldest_created_at", "excluded.oldest_created_at"
            sets.append(
                f"oldest_created_at = CASE WHEN {stored} IS NULL OR {new} < {stored}"
                f" THEN {new} ELSE {stored} END"
            )
        return ", ".join(sets)

    def _stored_timings(self, session: Session, names: Sequence[Name]) -> dict[Name, Timing]:
        matches = " AND ".join(
            f"u.{column} = named.column{at}" for at, column in enumerate(self.key, start=1)
        )
        columns = ", ".join(f"u.{column}" for column in (*self.key, *_HISTS))
        rows = session.rows(
            f"SELECT {columns} FROM (VALUES {tuples(names)}) AS named"
            f" JOIN {self.table} u ON {matches}"
            f"{session.engine.row_lock and ' FOR NO KEY UPDATE OF u'}",
            flat(names),
        )
        return {tuple(row[: len(self.key)]): timing_from_row(row) for row in rows}


HOURS = RowsOf("usage_hourly", ("wallet_id", "hour", "key_id", "model"))
WALLET_HOURS = RowsOf("usage_wallet_hours", ("wallet_id", "hour"), has_figures=False)
BLOCKS = RowsOf("usage_blocks", ("wallet_id", "hours", "begins", "key_id", "model"))
WALLET_BLOCKS = RowsOf("usage_wallet_blocks", ("wallet_id", "hours", "begins"), has_figures=False)


def added(counted: Iterable[tuple[Name, Counted]]) -> dict[Name, Counted]:
    """Add up what has the same name."""
    found: dict[Name, Counted] = {}
    for name, each in counted:
        found[name] = found[name] + each if name in found else each
    return found


def counted_from_row(row: Any) -> Counted:
    """Read what a row of figures keeps."""
    return Counted(tally_from_row(row), row.oldest_created_at, timing_from_row(row))


def tally_from_row(row: Any) -> Tally:
    """Read figures; those that were not asked for are none."""
    return Tally(**{name: getattr(row, name, 0) for name in FIGURES})


def timing_from_row(row: Any) -> Timing:
    """Read histograms."""
    return Timing(
        Histogram.unpack(bytes(row.latency_hist)), Histogram.unpack(bytes(row.first_byte_hist))
    )
