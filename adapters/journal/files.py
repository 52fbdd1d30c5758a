"""The journals of processes that are no more."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from adapters.journal.lines import settlement_of
from creditcore.domain.settlements import Settlement
from creditcore.ports.journal import AbandonedJournal

_log = logging.getLogger(__name__)


class AbandonedFiles:
    """Files of a directory that no living process has locked."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def abandoned(self) -> Iterator[AbandonedJournal]:
        """Return them, the oldest first, each locked for us until it is discarded or closed."""
        for path in sorted(self._directory.glob("*.jsonl"), key=_changed_at):
            try:
                # For writing: network file systems lock nothing else.
                file = path.open("rb+")
            except FileNotFoundError:
                continue
            except OSError as error:
                # Nor could it be discarded, so it would be settled again and again.
                _log.warning("the journal of a dead process cannot be opened: %s", error)
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                continue
            if path.exists():
                yield _AbandonedFile(path, file)
            else:
                # The process that had it locked has just discarded it.
                file.close()


class _AbandonedFile:
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def settlements(self) -> Iterable[Settlement]:
        self._file.seek(0)
        last: dict[str, Settlement] = {}
        for line in self._file:
            settlement = settlement_of(line)
            if settlement is not None:
                last[settlement.reference] = settlement
        return last.values()

    def discard(self) -> None:
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        self._file.close()


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
