"""Calls that wait with long requests take little memory, and none of them is lost."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from creditcore import Credits
from tests.faults.length import TIMES
from tests.faults.wire import Seen, answer_on, connect, send_on
from tests.stack import Stack, running_stack, wait_until

MEGABYTE = 1024 * 1024
CALLS = min(100, 5 * TIMES)
SENDING = 4
"""Calls whose requests are on their way at a time: twice as many as the process has room for."""
MOST_GROWTH_MB = 200
LONGEST_S = 60.0 * TIMES
"""How long the first of them may wait for the last."""
MODEL = {
    "model_name": "pictures",
    "litellm_params": {"model": "openai/pictures"},
    "model_info": {
        "mode": "chat",
        "input_cost_per_token": 1e-6,
        "output_cost_per_token": 4e-6,
        "max_input_tokens": 1000,
        "max_output_tokens": 100,
        "supports_vision": True,
    },
}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "ok"}}],
    "usage": {"prompt_tokens": 11, "completion_tokens": 1, "total_tokens": 12},
}
# One picture: text of this length no model reads.
LONG = b"".join(
    (
        b'{"model":"pictures","messages":[{"role":"user","content":[{"type":"image_url",',
        b'"image_url":{"url":"data:image/png;base64,',
        b"A" * (31 * MEGABYTE),
        b'"}}]}]}',
    )
)


@dataclass
class SilentModels:
    """A model server that keeps nothing of what it reads, and answers when it is told to.

    Attributes:
        waiting: Requests that it has read.
        speaks: Set when it is to answer.
    """

    url: str = ""
    waiting: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    speaks: threading.Event = field(default_factory=threading.Event)

    def take(self) -> None:
        with self.lock:
            self.waiting += 1
        self.speaks.wait()


@contextmanager
def silent_models() -> Iterator[SilentModels]:
    models = SilentModels()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({"data": [MODEL]})

        def do_POST(self) -> None:
            left = int(self.headers["content-length"])
            while left:
                left -= len(self.rfile.read(min(left, MEGABYTE)))
            models.take()
            self._answer(ANSWER)

        def _answer(self, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        models.url = f"http://127.0.0.1:{server.server_address[1]}"
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield models
        finally:
            models.speaks.set()
            server.shutdown()
            serving.join()


def workers_of(stack: Stack) -> list[int]:
    pid = stack.process.pid
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def memory_mb(pid: int, what: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [found] = [int(line.split()[1]) for line in lines if line.startswith(f"{what}:")]
    return found // 1024


def test_long_requests_that_wait_take_little_memory_and_none_is_lost(tmp_path: Path) -> None:
    with (
        silent_models() as models,
        running_stack("", tmp_path, LITELLM_BASE_URL=models.url) as stack,
    ):
        # One account alone has room for one of them.
        accounts = [stack.an_account(credits_="20000") for _ in range(SENDING)]

        sending = threading.Semaphore(SENDING)

        def ask(number: int) -> Seen:
            account = accounts[number % SENDING]
            while True:
                # As an SDK does: a server that is full says when to come again, or is not heard
                # because its client is still sending.
                with suppress(ConnectionError), closing(connect(stack.base_url)) as connection:
                    connection.timeout = LONGEST_S
                    with sending:
                        send_on(connection, LONG, key=account.api_key)
                    seen = answer_on(connection)
                    if seen.status != 503:
                        return seen
                time.sleep(1)

        [worker] = workers_of(stack)
        before = memory_mb(worker, "VmRSS")
        with ThreadPoolExecutor(CALLS) as callers:
            answers = [callers.submit(ask, number) for number in range(CALLS)]
            wait_until(lambda: models.waiting == CALLS, timeout_s=LONGEST_S)
            growth_mb = memory_mb(worker, "VmHWM") - before
            models.speaks.set()
            statuses = {each.result().status for each in answers}

        assert statuses == {200}
        assert models.waiting == CALLS
        # At any moment, reading and understanding them too.
        assert growth_mb < MOST_GROWTH_MB
        for account in accounts:
            assert stack.settled_wallet_of(account.person_id).held == Credits(0)
