"""The command line: what is set up, in which order, and what is printed in the end."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from bench.calls import CallsBench
from bench.children import Children
from bench.flame import FLAME_GRAPH, Profile, record
from bench.growth import measure_growth
from bench.installs import Installs, MissingError, say
from bench.ledger import measure_ledger
from bench.limits import measure_limits
from bench.machine import busy_loops, description, load_average
from bench.pages import measure_pages
from bench.place import REPOSITORY, Place
from bench.postgres import Postgres, running_postgres
from bench.report import report
from bench.results import Results
from bench.slow_readers import measure_slow_readers
from bench.standin import StandIn, start_plain, start_streams
from bench.streams import StreamsBench
from bench.targets import Target, Targets
from bench.verdicts import verdicts

TARGETS = ("direct", "nginx", "sqlite", "postgres", "limited", "postgres-2", "portkey", "litellm")
TARGETS_ON_REQUEST = ("unobserved", "observed", "before")
"""Started only when named: what they show, one run in a while shows."""

SECTIONS = ("calls", "streams", "ledger")
ON_REQUEST = ("growth", "pages", "profile", "slow-readers")
"""Measured only when named: two fill a disk with millions of rows, one writes a picture,
one keeps others waiting."""

_PROFILED = 40


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for.

    Attributes:
        sections: What is measured.
        targets: Who is.
        rounds: How often each.
        seconds: How long each time.
        before: Where the version is that is measured beside this one.
        growth_keys: Sizes of the growth benchmark.
        growth_calls: Sizes of the growth benchmark.
        pages_calls: Sizes of the benchmark of pages.
        pages_repeats: How often each page is asked for.
        json_file: Where everything is written for machines.
    """

    sections: Collection[str]
    targets: Sequence[str]
    rounds: int
    seconds: int
    before: Path | None
    growth_keys: list[int]
    growth_calls: list[int]
    pages_calls: list[int]
    pages_repeats: int
    json_file: Path | None

    @classmethod
    def parse(cls, arguments: Sequence[str]) -> Options:
        """Read a command line."""
        parsed = _parser().parse_args(arguments)
        only, skip = set(parsed.only), set(parsed.skip)
        # A name says either what is measured or who; whichever is not named stays whole.
        sections = only.intersection(SECTIONS + ON_REQUEST) or set(SECTIONS)
        targets = only.intersection(TARGETS + TARGETS_ON_REQUEST) or set(TARGETS)
        if parsed.before:
            targets.add("before")
        return cls(
            sections=sections - skip,
            targets=[name for name in TARGETS + TARGETS_ON_REQUEST if name in targets - skip],
            rounds=parsed.rounds,
            seconds=parsed.seconds,
            before=parsed.before and parsed.before.resolve(),
            growth_keys=parsed.growth_keys,
            growth_calls=parsed.growth_calls,
            pages_calls=parsed.pages_calls,
            pages_repeats=parsed.pages_repeats,
            json_file=parsed.json,
        )


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for and print the report; return the exit status."""
    options = Options.parse(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _run(options)
    except KeyboardInterrupt:
        say("interrupted; everything is stopped")
        return 130
    except MissingError as error:
        say(f"cannot measure: {error}")
        return 2


def _run(options: Options) -> int:
    place = Place.from_env()
    results = _begun(options)
    with Children(place.logs) as children, _emptied_afterwards(place), ExitStack() as stack:
        installs = Installs(place)
        postgres = _postgres(children, stack, results)
        targets = Targets(
            children, installs, place, postgres, before=options.before, missing=results.missing
        )
        bench = _Bench(options, place, children, installs, targets, results)
        if "calls" in options.sections:
            bench.calls()
        if "streams" in options.sections:
            bench.streams()
        if postgres and "ledger" in options.sections:
            results.ledger = measure_ledger(
                postgres, rounds=options.rounds, seconds=options.seconds
            )
        if postgres and "growth" in options.sections:
            results.growth = measure_growth(
                postgres,
                keys=options.growth_keys,
                calls=options.growth_calls,
                rounds=options.rounds,
                seconds=options.seconds,
            )
        if postgres and "pages" in options.sections:
            results.pages = measure_pages(
                postgres, place, calls=options.pages_calls, repeats=options.pages_repeats
            )
        if "profile" in options.sections:
            bench.profile()
        if "slow-readers" in options.sections:
            bench.slow_readers()
    results.machine["load average at the end"] = load_average()
    promises = verdicts(results)
    print(report(results, promises))  # noqa: T201 - the report
    if options.json_file:
        document = {
            **results.as_document(),
            "must_be_shown": [found.as_document() for found in promises],
        }
        options.json_file.write_text(json.dumps(document, indent=1) + "\n")
    return 0


@dataclass(frozen=True, slots=True)
class _Bench:
    """The sections that measure running gateways."""

    options: Options
    place: Place
    children: Children
    installs: Installs
    targets: Targets
    results: Results

    def calls(self) -> None:
        """Measure plain calls."""
        upstream = start_plain(self.children, self.installs, self.place)
        with self.targets.running(self.options.targets, upstream) as running:
            self.results.calls = CallsBench(self.installs, self.place, upstream).run(
                running, rounds=self.options.rounds, seconds=self.options.seconds
            )
            self._audit("calls", running)
        self.results.limits = measure_limits()
        self.children.stop(upstream.process)

    def streams(self) -> None:
        """Measure streams."""
        upstream = start_streams(self.children, self.installs, self.place)
        with self.targets.running(self.options.targets, upstream) as running:
            self.results.streams = StreamsBench(self.installs, upstream).run(
                running, rounds=self.options.rounds, seconds=self.options.seconds
            )
            self._audit("streams", running)
        self.children.stop(upstream.process)

    def profile(self) -> None:
        """Look where the time of the gateway goes."""
        upstream: StandIn = start_plain(self.children, self.installs, self.place)
        with self.targets.running(["postgres"], upstream) as running:
            for target in running:
                bench = CallsBench(self.installs, self.place, upstream)
                found = record(
                    target, bench, self.installs, self.children, seconds=self.options.seconds
                )
                _print_profile(found)
        self.children.stop(upstream.process)

    def slow_readers(self) -> None:
        """Measure what slow readers do to others."""
        upstream = start_streams(self.children, self.installs, self.place)
        ours = [name for name in self.options.targets if name in ("sqlite", "postgres")]
        with self.targets.running(ours, upstream) as running:
            for target in running:
                print(measure_slow_readers(target).line())  # noqa: T201 - the report
        self.children.stop(upstream.process)

    def _audit(self, section: str, running: Sequence[Target]) -> None:
        for target in running:
            if target.audit is not None:
                self.results.audits[f"{target.name} after {section}"] = target.audit()


def _postgres(children: Children, stack: ExitStack, results: Results) -> Postgres | None:
    say("starting PostgreSQL")
    try:
        server = stack.enter_context(running_postgres(children))
    except MissingError as error:
        results.missing["PostgreSQL"] = str(error)
        return None
    results.machine["PostgreSQL"] = ", ".join(
        [server.setting("server_version")]
        + [
            f"{name}={server.setting(name)}"
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]
    )
    return server


@contextmanager
def _emptied_afterwards(place: Place) -> Iterator[None]:
    try:
        yield
    finally:
        shutil.rmtree(place.run, ignore_errors=True)


def _begun(options: Options) -> Results:
    load = load_average()
    say("looking what the machine can do")
    loops = busy_loops()
    return Results(
        {
            **description(),
            "a busy loop": str(loops),
            "rounds": f"{options.rounds} of {options.seconds} s",
            "load average at the start": load,
        },
        loops,
    )


def _print_profile(profile: Profile) -> None:
    shares = {
        "Time in a function itself": profile.own(),
        "Time in a function and all that it calls": profile.whole(),
    }
    for title, functions in shares.items():
        print(title)  # noqa: T201 - the report
        for name, share in functions[:_PROFILED]:
            print(f"  {share * 100:5.1f} %  {name}")  # noqa: T201 - the report
    print(f"Flame graph: {FLAME_GRAPH.relative_to(REPOSITORY)}\n")  # noqa: T201 - the report


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure the gateway beside its peers, on this machine, in one run.",
    )
    names = (*SECTIONS, *ON_REQUEST, *TARGETS, *TARGETS_ON_REQUEST)
    listed = (
        f"{', '.join(SECTIONS)}; on request {', '.join(ON_REQUEST)}; "
        f"{', '.join(TARGETS)}; on request {', '.join(TARGETS_ON_REQUEST)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything here")
    parser.add_argument("--rounds", type=int, default=3, help="how often each (default 3)")
    parser.add_argument("--seconds", type=int, default=5, help="how long each time (default 5)")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=names, metavar="NAME", help=f"of: {listed}"
    )
    parser.add_argument(
        "--skip", nargs="+", default=[], choices=names, metavar="NAME", help="leave these out"
    )
    parser.add_argument(
        "--before",
        type=Path,
        metavar="FOLDER",
        help="measure another version, checked out there, in turns with this one",
    )
    parser.add_argument(
        "--growth-keys",
        nargs="+",
        type=int,
        default=[10, 10_000, 1_000_000],
        metavar="N",
        help="sizes that growth is measured at (default 10 10000 1000000)",
    )
    parser.add_argument(
        "--growth-calls",
        nargs="+",
        type=int,
        default=[0, 10_000_000],
        metavar="N",
        help="calls in the books, at the most keys (default 0 10000000)",
    )
    parser.add_argument(
        "--pages-calls",
        nargs="+",
        type=int,
        default=[1_000_000, 10_000_000],
        metavar="N",
        help="calls in the books that pages are measured with (default 1000000 10000000)",
    )
    parser.add_argument(
        "--pages-repeats",
        type=int,
        default=50,
        metavar="N",
        help="how often each page is asked for (default 50)",
    )
    return parser


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
