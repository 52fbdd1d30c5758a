"""Another gateway takes over while one serves: no stream is cut, and no call is refused."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from creditcore import Basis, Credits, HoldState
from tests.e2e.test_metrics import calls_counted
from tests.faults.length import TIMES
from tests.faults.outcomes import price
from tests.faults.wire import Seen, call, chat_body
from tests.faults.workers import children_of
from tests.stack import Stack, running_stack, wait_until
from tests.stores import migrated_postgres_database

STREAMS, SECONDS = (50, 60) if TIMES > 1 else (6, 4)
CALLERS = 2
TOKENS = 10 * SECONDS
STREAM = chat_body(f"[[sim tokens={TOKENS} prompt=11 delay_ms=100]]", stream=True)
HI = chat_body("[[sim tokens=3 prompt=11]]")
WORKERS = 2


@pytest.fixture
def pid_file(tmp_path: Path) -> Path:
    return tmp_path / "gunicorn.pid"


@pytest.fixture
def replaced(tmp_path: Path, pid_file: Path) -> Iterator[Stack]:
    """A gateway that has a file with the number of its process, as operators keep one."""
    settings = {"GUNICORN_CMD_ARGS": f"--pid {pid_file}"}
    with (
        migrated_postgres_database() as url,
        running_stack(url, tmp_path, workers=WORKERS, **settings) as stack,
        ended_in_the_end(stack),
    ):
        yield stack


@contextmanager
def ended_in_the_end(stack: Stack) -> Iterator[None]:
    """See that a gateway that its predecessor has started ends as well: it is of the same group."""
    assert stack.process is not None
    group = stack.process.pid
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGINT)
        wait_until(stack._is_gone)


def replace(stack: Stack, pid_file: Path) -> None:
    """Take the steps of docs/operating.md."""
    assert stack.process is not None
    new_pid_file = Path(f"{pid_file}.2")
    stack.process.send_signal(signal.SIGUSR2)
    new = int(wait_until(lambda: new_pid_file.exists() and new_pid_file.read_text()))
    wait_until(lambda: len(children_of(new)) == WORKERS)
    stack.process.send_signal(signal.SIGTERM)


def test_a_gateway_is_replaced_without_a_cut_stream_or_a_refused_call(
    replaced: Stack, pid_file: Path, record_property: Callable[[str, object], None]
) -> None:
    old = replaced.process
    assert old is not None
    streaming = replaced.an_account(credits_="100000")
    calling = replaced.an_account(credits_="100000")
    answered: list[Seen] = []
    stop = threading.Event()

    def keep_calling() -> None:
        while not stop.is_set():
            answered.append(call(replaced.base_url, HI, key=calling.api_key))

    with ThreadPoolExecutor(STREAMS + CALLERS) as threads:
        streams = [
            threads.submit(call, replaced.base_url, STREAM, key=streaming.api_key)
            for _ in range(STREAMS)
        ]
        wait_until(lambda: replaced.upstream(summary=1)["total"] == STREAMS)
        callers = [threads.submit(keep_calling) for _ in range(CALLERS)]
        try:
            replace(replaced, pid_file)
            seen = [each.result() for each in streams]
            wait_until(lambda: old.poll() is not None)
            after = len(answered) + CALLERS
            # The new one serves by itself.
            wait_until(lambda: len(answered) > after or any(each.done() for each in callers))
        finally:
            stop.set()
        for each in callers:
            each.result()

    assert old.returncode == 0
    # Which the next replacement begins with.
    assert wait_until(lambda: pid_file.exists() and pid_file.read_text()) != str(old.pid)
    assert {each.status for each in [*seen, *answered]} == {200}
    assert [len(each.text.split()) for each in seen] == [2 * TOKENS] * STREAMS
    assert all(each.events[-1] == b"[DONE]" for each in seen)
    for account, answers, tokens in ((streaming, seen, TOKENS), (calling, answered, 3)):
        wallet = replaced.settled_wallet_of(account.person_id)
        with replaced.store.begin() as tx:
            holds = tx.calls.recent(account.wallet_id, limit=len(answers) + 1)
        assert {hold.reference for hold in holds} == {each.call_id for each in answers}
        assert len(holds) == len(answers)
        assert {(hold.state, hold.outcome.basis) for hold in holds} == {
            (HoldState.SETTLED, Basis.PROVIDER_USAGE)
        }
        assert {hold.charged for hold in holds} == {price(11, tokens)}
        spent = len(answers) * price(11, tokens).microcredits
        assert wallet.posted == Credits.of(100000) - Credits(spent)
    assert replaced.audit().clean
    # What both have counted.
    wait_until(lambda: calls_counted(replaced) == len(seen) + len(answered))
    record_property("tries", STREAMS)
    record_property("figure", f"{STREAMS} streams of {SECONDS} s whole, {len(answered)} new calls")
