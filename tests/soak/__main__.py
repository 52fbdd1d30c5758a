"""Load the product for a long while, and see that nothing piles up: ``make soak``.

Callers take whole answers, whole streams and parts of streams, on PostgreSQL and two processes.
In the end nothing may be held, the books have to be clean, no answer may have been an error of
ours, and the processes may have grown by 50 MB at most since they were warm.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import requests

from creditcore import Credits
from tests.faults.workers import workers_of
from tests.stack import PATIENCE_S, Account, Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database

CALLERS = 8
WARM = 0.2
"""The part of the time after which a process has all that it will keep."""

MOST_GROWTH_MB = 50
ORDERS = {
    "document": "Hi",
    "stream": "Hi",
    "part of a stream": "[[sim tokens=200 delay_ms=20]]",
}


class Callers:
    """Some accounts that call, each in a thread of its own, until they are told to stop."""

    def __init__(self, stack: Stack, *, seed: int) -> None:
        self._stack = stack
        self._stopping = threading.Event()
        self.outcomes: Counter[str] = Counter()
        self._counting = threading.Lock()
        self.accounts = [stack.an_account(credits_="100000") for _ in range(CALLERS)]
        self._threads = [
            threading.Thread(target=self._call, args=(account, random.Random(seed + number)))  # noqa: S311
            for number, account in enumerate(self.accounts)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish its call."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _call(self, account: Account, dice: random.Random) -> None:
        while not self._stopping.is_set():
            kind = dice.choice(list(ORDERS))
            try:
                outcome = f"{kind} {self._one(account, kind)}"
            except requests.RequestException as error:
                outcome = f"{kind} {type(error).__name__}"
            with self._counting:
                self.outcomes[outcome] += 1

    def _one(self, account: Account, kind: str) -> int:
        answer = self._stack.chat(ORDERS[kind], key=account.api_key, stream=kind != "document")
        with answer:
            if kind == "part of a stream":
                next(answer.iter_content(1), b"")
            else:
                _ = answer.content
        return answer.status_code


def main() -> int:
    """Return 0 if all held."""
    asked = _arguments()
    sys.stderr.write(f"make soak MINUTES={asked.minutes:g} SEED={asked.seed}\n")
    with (
        migrated_postgres_database() as url,
        tempfile.TemporaryDirectory(prefix="creditcore-soak-") as folder,
        running_stack(url, Path(folder), workers=2, log=Path(folder) / "gateway.log") as stack,
    ):
        callers = Callers(stack, seed=asked.seed)
        try:
            begun = workers_of(stack)
            warm_s = asked.minutes * 60 * WARM
            time.sleep(warm_s)
            warm = resident_mb(stack)
            time.sleep(asked.minutes * 60 - warm_s)
            last = resident_mb(stack)
            same_workers = workers_of(stack) == begun
        finally:
            callers.stop()
        faults = _faults(stack, callers, growth_mb=last - warm, same_workers=same_workers)
    figures = {
        "seed": asked.seed,
        "minutes": asked.minutes,
        "outcomes": dict(sorted(callers.outcomes.items())),
        "warm_mb": warm,
        "last_mb": last,
        "faults": faults,
    }
    sys.stdout.write(f"{json.dumps(figures, indent=None if asked.json else 2)}\n")
    return 1 if faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0, help="how long; 20 by default")
    parser.add_argument("--seed", type=int, default=1, help="what the callers' dice begin with")
    parser.add_argument("--json", action="store_true", help="print the figures on one line")
    return parser.parse_args()


def _faults(stack: Stack, callers: Callers, *, growth_mb: int, same_workers: bool) -> Sequence[str]:
    faults = [
        f"{count} x {outcome}"
        for outcome, count in callers.outcomes.items()
        if not outcome.endswith(" 200")
    ]
    if not callers.outcomes:
        faults.append("no call was answered")
    if growth_mb > MOST_GROWTH_MB:
        faults.append(f"the processes grew by {growth_mb} MB")
    if not same_workers:
        faults.append("a process ended and was replaced")
    try:
        wait_until(lambda: _held(stack, callers) == Credits(0), timeout_s=PATIENCE_S)
    except AssertionError:
        faults.append(f"{_held(stack, callers)} are still held")
    if not stack.audit().clean:
        faults.append("the books are not clean; see `audit`")
    return faults


def _held(stack: Stack, callers: Callers) -> Credits:
    return Credits(
        sum(stack.wallet_of(each.person_id).held.microcredits for each in callers.accounts)
    )


def resident_mb(stack: Stack) -> int:
    """Return what the workers hold in memory, in megabytes."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in workers_of(stack))
    return pages * 4096 // 1_000_000


if __name__ == "__main__":
    sys.exit(main())
