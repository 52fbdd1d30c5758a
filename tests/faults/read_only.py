"""A folder that not even root may write to, for a program that is started so."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# https://man7.org/linux/man-pages/man2/PR_CAPBSET_DROP.2const.html
_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE = 1


def obey_permissions() -> None:
    """Let root, too, be refused what permissions refuse, from the next program on."""
    if os.geteuid() == 0 and ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0):
        raise OSError("root keeps the right to write anywhere")


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    before = folder.stat().st_mode
    folder.chmod(0o500)
    try:
        yield
    finally:
        folder.chmod(before)
