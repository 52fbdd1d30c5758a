"""Accounts in the books of another version of this repository, which its own code makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.installs import MissingError

_TIMEOUT_S = 120
_SAID = 600

_PROGRAM = """
import sys
from bench.accounts import make_accounts
url, pepper, count = sys.argv[1:]
print("\\n".join(make_accounts(url, pepper=pepper.encode(), count=int(count))))
"""


def make_accounts_of(folder: Path, store_url: str, *, pepper: str, count: int) -> list[str]:
    """Make people with credits and a key each; return the keys.

    Raises:
        MissingError: There is no such version, or it does not run here.
    """
    if not (folder / "bench" / "accounts.py").is_file():
        raise MissingError(f"{folder} is not a version of this repository")
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", _PROGRAM, store_url, pepper, str(count)],
        cwd=folder,
        capture_output=True,
        check=False,
        text=True,
        timeout=_TIMEOUT_S,
    )
    if done.returncode != 0:
        raise MissingError(f"that version said: {done.stderr.strip()[-_SAID:]}")
    return done.stdout.split()
