"""Settlements in files: each survives its process, and goes when the ledger has it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.journal import AbandonedFiles, FileJournal
from creditcore import Basis, Credits, Usage
from creditcore.domain.holds import Outcome
from creditcore.domain.settlements import Settlement
from tests.faults.test_broken_stores import full_disk

WRITER = """
import sys
from pathlib import Path
from adapters.journal import FileJournal
from tests.integration.test_journal import a_settlement

journal = FileJournal(Path(sys.argv[1]))
for number in range(5):
    journal.note(a_settlement("call-1", cost=number))
journal.note(a_settlement("call-2"))
journal.note(a_settlement("call-3"))
journal.forget("call-3")
print("noted", flush=True)
sys.stdin.read()
"""


def a_settlement(reference: str, *, cost: int = 7) -> Settlement:
    return Settlement(
        reference=reference,
        wallet_id="wallet-1",
        cost=Credits(cost),
        outcome=Outcome(
            basis=Basis.PROVIDER_USAGE,
            usage=Usage(prompt_tokens=11, completion_tokens=3, cached_tokens=2),
            provider_cost_picodollars=9,
            status=200,
            error=None,
            latency_ms=12,
            first_byte_ms=3,
        ),
        most=Credits(100),
    )


def found_in(directory: Path) -> list[Settlement]:
    found = []
    for journal in AbandonedFiles(directory).abandoned():
        found += list(journal.settlements())
        journal.close()
    return found


def test_what_a_killed_process_noted_is_found_again(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert writer.stdout is not None
    assert writer.stdin is not None
    assert writer.stdout.readline() == b"noted\n"
    # As long as it lives, it settles what it noted itself.
    assert found_in(tmp_path) == []

    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdin.close()
    writer.stdout.close()

    by_reference = {one.reference: one for one in found_in(tmp_path)}
    assert by_reference["call-1"] == a_settlement("call-1", cost=4)
    assert by_reference["call-2"] == a_settlement("call-2")


def test_two_that_look_at_once_do_not_both_get_a_journal(tmp_path: Path) -> None:
    (tmp_path / "1-a.jsonl").write_bytes(b"")
    first = list(AbandonedFiles(tmp_path).abandoned())

    assert len(first) == 1
    assert list(AbandonedFiles(tmp_path).abandoned()) == []
    first[0].discard()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "torn", [b"", b'{"reference": "call-9"', b"{}\n", b"[]\n", b"\xff\n", b'{"reference": 1}\n']
)
def test_a_line_that_was_written_by_half_harms_no_other(tmp_path: Path, torn: bytes) -> None:
    journal = FileJournal(tmp_path)
    journal.note(a_settlement("call-1"))
    [path] = tmp_path.iterdir()
    written = path.read_bytes()
    abandoned = tmp_path / "0-b.jsonl"
    abandoned.write_bytes(torn + (b"\n" if torn[-1:] != b"\n" else b"") + written + torn)

    assert found_in(tmp_path) == [a_settlement("call-1")]


def test_files_go_once_the_ledger_has_what_is_in_them(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path, segment_bytes=1)
    for number in range(4):
        journal.note(a_settlement(f"call-{number}"))
    # A later note of a call takes the place of the one in the file before.
    journal.note(a_settlement("call-0"))
    assert len(list(tmp_path.iterdir())) == 4

    for number in range(4):
        journal.forget(f"call-{number}")
    journal.forget("call-0")

    assert len(list(tmp_path.iterdir())) == 1
    journal.close()
    assert list(tmp_path.iterdir()) == []


def test_what_the_ledger_does_not_have_stays_after_an_orderly_end(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.note(a_settlement("call-1"))

    journal.close()

    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_that_cannot_be_written_costs_no_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("no folder")
    journal = FileJournal(tmp_path / "taken")

    for number in range(3):
        journal.note(a_settlement(f"call-{number}"))
        journal.forget(f"call-{number}")

    # For the first of them.
    [line] = caplog.messages
    assert "call-0 could not be noted" in line
    assert "File exists" in str(journal.fault)


def test_a_disk_that_has_room_again_is_noted_on(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.note(a_settlement("call-1"))
    with full_disk(tmp_path):
        journal.note(a_settlement("call-2"))
        assert "File too large" in str(journal.fault)

    journal.note(a_settlement("call-3"))

    assert journal.fault is None
    # As the next process finds it.
    [path] = tmp_path.iterdir()
    (tmp_path / "0-b.jsonl").write_bytes(path.read_bytes())
    assert [one.reference for one in found_in(tmp_path)] == ["call-1", "call-3"]


def test_a_journal_that_cannot_be_discarded_is_left_alone(tmp_path: Path) -> None:
    abandoned = tmp_path / "0-b.jsonl"
    abandoned.mkdir()

    assert found_in(tmp_path) == []


def test_a_fork_writes_files_of_its_own(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    journal.note(a_settlement("call-1"))
    child = os.fork()
    if not child:
        journal.note(a_settlement("call-2"))
        os._exit(0)
    os.waitpid(child, 0)

    assert [one.reference for one in found_in(tmp_path)] == ["call-2"]
