"""The files in which processes share their figures, each with all the room that it needs.

The library leaves holes in them and writes to these through memory. On a disk that is full the
system answers that by ending the process, which would happen again to each one that follows.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

ROOM_BYTES = 1024 * 1024
"""For a thousand models; there may be more."""

_BESIDE_A_KEY = 32
_ALONE = "figures of this process are not shared with others: %s"

_log = logging.getLogger(__name__)


class FigureFile(MmapedDict):
    """A file without holes; where there is no room for one, memory of this process alone."""

    def __init__(self, filename: str, read_mode: bool = False) -> None:  # noqa: FBT001, FBT002
        """Open a file, making it if it is to be written."""
        name = filename if read_mode else _with_room(filename)
        super().__init__(name, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        # The library grows a file that is full to twice its length, with a hole at its end.
        if self._used + len(key.encode()) + _BESIDE_A_KEY > self._capacity:
            self._make_room()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _make_room(self) -> None:
        try:
            os.posix_fallocate(self._f.fileno(), 0, 2 * self._capacity)
        except OSError as error:
            _log.error(_ALONE, error)
            memory = os.fdopen(os.memfd_create("figures"), "r+b")
            memory.write(self._m[:])
            memory.flush()
            self._f.close()
            self._f = memory


def share_figures_in_whole_files() -> None:
    """Let the library keep figures in files of ours, in processes that have kept none yet."""
    # Where there is no such call, files are the library's.
    if hasattr(os, "memfd_create"):
        values.MmapedDict = FigureFile  # type: ignore[attr-defined]


def _with_room(filename: str) -> str:
    try:
        file = os.open(filename, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            os.posix_fallocate(file, 0, ROOM_BYTES)
        finally:
            os.close(file)
    except OSError as error:
        _log.error(_ALONE, error)
        # The reader of these files fails at one that is empty.
        Path(filename).unlink(missing_ok=True)
        # Open as long as the process lives: others do not see it.
        return f"/proc/self/fd/{os.memfd_create('figures')}"
    return filename
