"""Accounts in the books of another version of this repository, which its own code makes."""

from __future__ import annotations

from pathlib import Path

from bench.installs import MissingError
from bench.programs import said_by_python

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
    return said_by_python(folder, "-c", _PROGRAM, store_url, pepper, str(count)).split()
