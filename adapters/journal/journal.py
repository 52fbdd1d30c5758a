"""The journal of this process."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import secrets
import threading
from pathlib import Path

from adapters.journal.lines import line_of
from creditcore.domain.settlements import Settlement

SEGMENT_BYTES = 4 * 1024 * 1024
"""A file longer than this is closed, and deleted once the ledger has all that is in it."""

_log = logging.getLogger(__name__)


class _Segment:
    """One file, locked as long as its process lives. The lock ends with the process."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / f"{os.getpid()}-{secrets.token_hex(8)}.jsonl"
        self.file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_WRONLY, 0o600)
        fcntl.flock(self.file, fcntl.LOCK_EX)
        self.length = 0
        self.open_references = 0

    def remove(self) -> None:
        # First the name: no other process may find the file unlocked.
        self.path.unlink(missing_ok=True)
        os.close(self.file)


class FileJournal:
    """Appends settlements to a file of this process, each with one ``write``.

    What has been written survives the death of the process by any signal. The death of
    the host it need not survive: it is never flushed to the disk, which would cost each call a
    wait. A fork begins files of its own.
    """

    def __init__(self, directory: Path, *, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._directory = directory
        self._segment_bytes = segment_bytes
        self._changing = threading.Lock()
        self._reset()

    @property
    def fault(self) -> str | None:
        return self._fault

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._fault: str | None = None
        self._current: _Segment | None = None
        # Where the last note of each call stands that the ledger does not have yet.
        self._segments: dict[str, _Segment] = {}

    def note(self, settlement: Settlement) -> None:
        line = line_of(settlement)
        with self._changing:
            try:
                segment = self._segment()
                written = os.write(segment.file, line)
            except OSError as error:
                self._fail(settlement.reference, error)
                return
            segment.length += written
            if written < len(line):
                # The disk is full: what stands there by half ends with the next line.
                self._fail(settlement.reference, OSError(errno.ENOSPC, "it was written by half"))
                return
            if self._fault is not None:
                self._fault = None
                _log.warning("settlements are noted again, from call %s on", settlement.reference)
            before = self._segments.get(settlement.reference)
            if before is not segment:
                segment.open_references += 1
                self._segments[settlement.reference] = segment
                if before is not None:
                    self._leave(before)

    def forget(self, reference: str) -> None:
        with self._changing:
            segment = self._segments.pop(reference, None)
            if segment is not None:
                self._leave(segment)

    def close(self) -> None:
        """Let go of the files. Those that the ledger needs no more are deleted."""
        with self._changing:
            current, self._current = self._current, None
            if current is not None and not current.open_references:
                current.remove()

    def _segment(self) -> _Segment:
        if self._pid != os.getpid():
            self._reset()
        current = self._current
        if current is not None and current.length < self._segment_bytes:
            return current
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._current = _Segment(self._directory)
        if current is not None and not current.open_references:
            current.remove()
        return self._current

    def _fail(self, reference: str, error: OSError) -> None:
        # Once, and not for each call of a day on which the disk is full.
        if self._fault is None:
            _log.error("call %s could not be noted, nor can those after it: %s", reference, error)
        # Without the name of the file, which the log has: anybody may read whether we are ready.
        self._fault = error.strerror

    def _leave(self, segment: _Segment) -> None:
        segment.open_references -= 1
        if not segment.open_references and segment is not self._current:
            segment.remove()
