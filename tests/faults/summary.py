"""A table of what ``make faults`` has tried, to be kept: a plugin of pytest.

A row is a file of tests, called by the first sentence of its description. A test says by
``record_property`` how often it has tried (``tries``), and what came out (``figure``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.faults.length import SEED, TIMES


@dataclass
class Row:
    """What became of the tests of one file.

    Attributes:
        what: What they are about.
    """

    what: str
    passed: int = 0
    failed: int = 0
    tries: int = 0
    seconds: float = 0.0
    figures: list[str] = field(default_factory=list)

    def add(self, report: pytest.TestReport) -> None:
        """Add what is known after one test, or after what was made ready for it."""
        self.seconds += report.duration
        self.failed += report.failed
        if report.when != "call":
            return
        self.passed += report.passed
        told = dict(report.user_properties)
        self.tries += int(str(told.get("tries", 1)))
        if "figure" in told:
            self.figures.append(str(told["figure"]))

    @property
    def line(self) -> str:
        """The row as Markdown."""
        result = f"{self.failed} FAILED" if self.failed else "ok"
        figures = "; ".join(self.figures)
        return f"| {self.what} | {self.tries:,} | {result} | {figures} | {self.seconds:.0f} s |"


class Summary:
    """Rows by their files, in the order of the run."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Read what each file is about."""
        for item in session.items:
            module = getattr(item, "module", None)
            what = re.split(r"[.:](?=\s)", " ".join((module.__doc__ or "").split()) + " ")[0]
            self._rows.setdefault(_file_of(item.nodeid), Row(what.strip(" .")))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what was tried."""
        self._rows[_file_of(report.nodeid)].add(report)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        lines: Sequence[str] = (
            f"make faults SEED={SEED} TIMES={TIMES}",
            "",
            "| What | Tries | Result | Figures | Took |",
            "|---|---|---|---|---|",
            *(row.line for row in self._rows.values() if row.passed or row.failed),
        )
        terminalreporter.write_sep("=", "what was tried")
        for line in lines:
            terminalreporter.write_line(line)


def _file_of(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def pytest_configure(config: pytest.Config) -> None:
    """Watch this run."""
    config.pluginmanager.register(Summary(), "summary-of-faults")
