"""Settlements in files of each process, for the next one to find."""

from __future__ import annotations

from adapters.journal.files import AbandonedFiles
from adapters.journal.journal import FileJournal

__all__ = ["AbandonedFiles", "FileJournal"]
