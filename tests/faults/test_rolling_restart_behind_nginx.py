"""Two gateways behind nginx are replaced in turn: no stream is cut, and no call is refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from creditcore import Basis, Credits, HoldState
from tests.faults.aftermath import calls_of
from tests.faults.length import TIMES
from tests.faults.outcomes import price
from tests.faults.wire import Seen, call, chat_body
from tests.proxies.conftest import documented, in_front
from tests.stack import REPOSITORY, Account, Stack, reserved_port, running_stack, wait_until
from tests.stores import migrated_postgres_database

STREAMS, SECONDS = (50, 60) if TIMES > 1 else (6, 5)
CALLERS = 2
TOKENS = 10 * SECONDS
STREAM = chat_body(f"[[sim tokens={TOKENS} prompt=11 delay_ms=100]]", stream=True)
HI = chat_body("[[sim tokens=3 prompt=11]]")
FUNDED = Credits.of(100000)
LONGEST_S = 300


@dataclass(frozen=True)
class Pair:
    """Two gateways on one database, and nginx before them as ``docs/proxies.md`` has it.

    Attributes:
        gateways: They share the sandbox.
        url: Where nginx is.
        folder: Where each gateway has a folder of its own, and nginx its files.
    """

    gateways: tuple[Stack, Stack]
    url: str
    folder: Path

    def replace_both(self) -> None:
        """Run the lines of the document."""
        lines = documented("bash", "nginx -s reload")
        for written, here in (
            ("/etc/nginx/creditcore.servers", f"{self.folder}/creditcore.servers"),
            ("/run/nginx.pid", f"{self.folder}/pid"),
            (
                "nginx -s reload",
                f"nginx -e {self.folder}/error.log -c {self.folder}/nginx.conf -s reload",
            ),
            ("8000 8001", " ".join(each.environ["PORT"] for each in self.gateways)),
            ("var/", f"{self.folder}/"),
        ):
            assert written in lines
            lines = lines.replace(written, here)
        environ = self.gateways[0].environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        }
        del environ["GUNICORN_CMD_ARGS"]
        subprocess.run(
            ["bash", "-u", "-c", lines], env=environ, cwd=REPOSITORY, check=True, timeout=LONGEST_S
        )

    @contextmanager
    def ended_in_the_end(self) -> Iterator[None]:
        """See that gateways end that this test has not started itself."""
        try:
            yield
        finally:
            for each in self.gateways:
                pid_file = self.folder / each.environ["PORT"] / "gunicorn.pid"
                # One that has ended has taken its file along.
                with suppress(FileNotFoundError, ProcessLookupError):
                    os.kill(int(pid_file.read_text()), signal.SIGINT)
                wait_until(each._is_gone)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with ExitStack() as running:
        port, second_port = (running.enter_context(reserved_port()) for _ in range(2))
        site = f"http://127.0.0.1:{port}"
        first = running.enter_context(
            running_stack(
                running.enter_context(migrated_postgres_database()),
                tmp_path / "first",
                log=tmp_path / "first.log",
                BASE_URL=site,
                TRUSTED_PROXY_COUNT="1",
                GUNICORN_CMD_ARGS=f"--pid {tmp_path}/first/gunicorn.pid",
            )
        )
        environ = {
            "PORT": str(second_port),
            "DATA_DIR": f"{tmp_path}/second",
            "GUNICORN_CMD_ARGS": f"--pid {tmp_path}/second/gunicorn.pid",
        }
        second = replace(
            first,
            base_url=f"http://127.0.0.1:{second_port}",
            environ=first.environ | environ,
            log=tmp_path / "second.log",
            process=None,
        )
        running.callback(second.search_log)
        running.callback(second.stop)
        second.start()
        for name, each in (("first", first), ("second", second)):
            (tmp_path / each.environ["PORT"]).symlink_to(name)
        servers = "".join(
            f"server 127.0.0.1:{each.environ['PORT']} max_fails=0;\n" for each in (first, second)
        )
        (tmp_path / "creditcore.servers").write_text(servers)
        upstream = documented("nginx", "include ").replace("/etc/nginx", str(tmp_path))
        lines = re.sub(r"upstream .*?\n}\n", upstream, documented("nginx"), flags=re.DOTALL)
        running.enter_context(in_front("nginx", tmp_path, port, "", lines=lines))
        pair = Pair((first, second), site, tmp_path)
        running.enter_context(pair.ended_in_the_end())
        yield pair


def test_two_gateways_are_replaced_in_turn_without_a_cut_stream_or_a_refused_call(
    pair: Pair, record_property: Callable[[str, object], None]
) -> None:
    stack = pair.gateways[0]
    old = [each.process for each in pair.gateways]
    streaming = stack.an_account(credits_=str(FUNDED))
    calling = stack.an_account(credits_=str(FUNDED))
    stop = threading.Event()

    def keep_asking(body: bytes, account: Account) -> list[Seen]:
        seen = []
        while not stop.is_set():
            seen.append(call(pair.url, body, key=account.api_key))
        return seen

    with ThreadPoolExecutor(STREAMS + CALLERS) as threads:
        # One after another in each thread, so that some run whenever a gateway is told to end.
        streams = [threads.submit(keep_asking, STREAM, streaming) for _ in range(STREAMS)]
        callers = [threads.submit(keep_asking, HI, calling) for _ in range(CALLERS)]
        try:
            wait_until(lambda: len(stack.calls_of(streaming)) >= STREAMS)
            pair.replace_both()
        finally:
            stop.set()
        streamed, called = (
            [seen for each in futures for seen in each.result()] for futures in (streams, callers)
        )

    # Their last streams have ended, so they have too.
    wait_until(lambda: all(each is not None and each.poll() is not None for each in old))
    assert [each.returncode for each in old if each] == [0, 0]
    assert "down" not in (pair.folder / "creditcore.servers").read_text()
    assert {each.status for each in [*streamed, *called]} == {200}
    assert {len(each.text.split()) for each in streamed} == {2 * TOKENS}
    assert all(each.events[-1] == b"[DONE]" for each in streamed)
    for account, seen, tokens in ((streaming, streamed, TOKENS), (calling, called, 3)):
        wallet = stack.settled_wallet_of(account.person_id)
        holds = calls_of(stack, account)
        assert sorted(hold.reference for hold in holds) == sorted(each.call_id for each in seen)
        assert {(hold.state, hold.outcome.basis, hold.charged) for hold in holds} == {
            (HoldState.SETTLED, Basis.PROVIDER_USAGE, price(11, tokens))
        }
        assert wallet.posted == FUNDED - Credits(len(seen) * price(11, tokens).microcredits)
    assert stack.audit().clean
    record_property("tries", STREAMS)
    record_property(
        "figure", f"{len(streamed)} streams of {SECONDS} s whole, {len(called)} new calls"
    )
