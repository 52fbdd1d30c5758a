"""Take each guard out in turn, and see that a test notices: ``make guards``."""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.guards.list import REPOSITORY, Guard, guards

TESTS_FAILED = 1
"""What pytest returns when tests ran and failed; a suite that cannot begin is another code."""

LONGEST_S = 900
"""Without its guard a test may wait for ever. One that notices says so instead."""

LONGEST_ALL_S = 4 * LONGEST_S
"""With every guard in its place, all tests run once."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def main() -> int:
    """Return 0 if every guard that was asked for is noticed."""
    asked = _arguments()
    chosen = [guard for guard in guards() if all(word in guard.name for word in asked.words)]
    if not chosen:
        sys.stderr.write("No guard is called so; --list prints their names.\n")
        return 2
    if asked.list:
        sys.stdout.writelines(f"{guard.name}\n" for guard in chosen)
        return 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="creditcore-guards-") as folder:
        copies = [_copy_to(Path(folder) / str(number)) for number in range(asked.jobs)]
        all_tests = sorted({test for guard in chosen for test in guard.tests})
        spread = ["-n", str(asked.jobs), "--dist", "loadfile"]
        untouched = _run([*spread, *all_tests], copies[0], longest_s=LONGEST_ALL_S)
        if untouched.returncode:
            sys.stderr.write(f"{untouched.stdout}\nTests fail with every guard in its place.\n")
            return 2
        unnoticed = _unnoticed(chosen, copies, as_json=asked.json)
    if not asked.json:
        minutes = (time.monotonic() - begun) / 60
        sys.stdout.write(
            f"{len(chosen)} guards, {unnoticed} that no test notices, {minutes:.0f} minutes\n"
        )
    return 1 if unnoticed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make guards", description=__doc__, epilog='A subset: make guards GUARDS="CHECK"'
    )
    parser.add_argument("words", nargs="*", help="only guards whose names have all these words")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each guard")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="how many are out at once, each alone"
    )
    asked = parser.parse_args()
    if asked.jobs < 1:
        parser.error("--jobs has to be 1 or more")
    return asked


def _unnoticed(chosen: Sequence[Guard], copies: Sequence[Path], *, as_json: bool) -> int:
    """Return how many no test notices. Each is taken out of a copy that has all others."""
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def unnoticed(guard: Guard) -> bool:
        copy = free.get()
        try:
            return not _is_noticed(guard, copy, as_json=as_json)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        return sum(pool.map(unnoticed, chosen))


def _is_noticed(guard: Guard, copy: Path, *, as_json: bool) -> bool:
    file = copy / guard.file
    whole = file.read_text()
    file.write_text(guard.taken_out_of(whole))
    try:
        done = _run(guard.tests, copy)
        failed = _FAILED.search(done.stdout)
        noticed_by = failed[1] if failed and done.returncode == TESTS_FAILED else None
        how = f"pytest ended with {done.returncode}"
    except subprocess.TimeoutExpired:
        noticed_by, how = None, f"pytest did not end within {LONGEST_S} s"
    finally:
        file.write_text(whole)
    if as_json:
        line = json.dumps({"guard": guard.name, "file": guard.file, "noticed_by": noticed_by})
    elif noticed_by:
        line = f"ok    {guard.name}\n      {noticed_by}"
    else:
        line = f"FAIL  {guard.name}: no test notices ({how})"
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return noticed_by is not None


def _copy_to(copy: Path) -> Path:
    # What is not committed yet counts too.
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = REPOSITORY / name, copy / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return copy


def _run(
    asked: Sequence[str], copy: Path, *, longest_s: float = LONGEST_S
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-rfE", "--tb=no", *asked],
        cwd=copy,
        # Compiled code is looked up by the second and the length of its source.
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=longest_s,
    )


if __name__ == "__main__":
    sys.exit(main())
