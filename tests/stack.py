"""The whole product as its users run it: real processes, real HTTP, a real database."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests

from adapters.pony_store import PonyTransactions, migrate, open_store
from creditcore import Credits, GrantCredits, IssueKey, SystemClock, SystemIds, Wallet
from creditcore.ports.identity import Identity
from creditcore.usecases.welcome_person import WelcomePerson
from sandbox.process import SandboxProcess

REPOSITORY = Path(__file__).resolve().parent.parent
AUTH_SECRET = "a-secret-for-tests-0123456789-abcdef"
PATIENCE_S = 40.0

Found = TypeVar("Found")


@dataclass(frozen=True)
class Account:
    """Somebody with credits and a key."""

    person_id: str
    email: str
    wallet_id: str
    api_key: str


@dataclass
class Stack:
    """A gateway, the sandbox behind it, and the database under it."""

    base_url: str
    database_url: str
    environ: dict[str, str]
    sandbox: SandboxProcess
    store: PonyTransactions
    process: subprocess.Popen[bytes] | None = None

    # -- processes -------------------------------------------------------------------

    def start(self) -> None:
        """Start the gateway and return when it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
            env=self.environ,
            cwd=REPOSITORY,
            start_new_session=True,
        )
        wait_until(lambda: self.process.poll() is not None or self._ready())
        assert self.process.poll() is None, "the gateway did not start"

    def stop(self) -> None:
        """Stop the gateway in its orderly way."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE_S)

    def kill(self) -> None:
        """Kill the gateway and all its workers as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def flask(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run an operator command."""
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
            env=self.environ,
            cwd=REPOSITORY,
            check=check,
            capture_output=True,
            text=True,
            timeout=120,
        )

    # -- people ----------------------------------------------------------------------

    def an_account(self, *, credits_: str = "200", email: str | None = None) -> Account:
        """Make somebody with exactly these credits and a key."""
        clock, ids = SystemClock(), SystemIds()
        person = WelcomePerson(transactions=self.store, clock=clock, ids=ids).welcome(
            Identity(
                subject=ids.new(),
                email=email or f"{uuid.uuid4().hex}@example.com",
                email_verified=True,
            )
        )
        wallet = self.wallet_of(person.id)
        if Credits.parse(credits_):
            GrantCredits(transactions=self.store, clock=clock).grant(
                wallet.id, Credits.parse(credits_), reason="test", reference=ids.new()
            )
        return Account(person.id, person.email, wallet.id, self.a_key(person.id))

    def a_key(self, person_id: str) -> str:
        """Make another key for somebody."""
        issue = IssueKey(
            transactions=self.store,
            clock=SystemClock(),
            ids=SystemIds(),
            pepper=AUTH_SECRET.encode(),
        )
        _, secret = issue.issue(person_id, name="test")
        return secret.text

    # -- what is true ------------------------------------------------------------------

    def wallet_of(self, person_id: str) -> Wallet:
        """Read somebody's wallet from the database."""
        with self.store.begin() as tx:
            return tx.ledger.find_wallet_of(person_id)

    def settled_wallet_of(self, person_id: str) -> Wallet:
        """Read somebody's wallet once nothing is held any more."""
        return wait_until(
            lambda: (wallet := self.wallet_of(person_id)).held == Credits(0) and wallet
        )

    def calls_of(self, account: Account) -> list[Any]:
        """Read somebody's calls from the database."""
        with self.store.begin() as tx:
            return list(tx.calls.recent(account.wallet_id, limit=1000))

    def audit(self) -> dict[str, Any]:
        """Run the audit and return what it prints for machines."""
        done = self.flask("audit", "--json", check=False)
        report: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) is report["clean"]
        return report

    def upstream(self, **query: object) -> dict[str, Any]:
        """Return what reached the model server."""
        answer = requests.get(
            f"{self.sandbox.base_url}/control/litellm/calls", params=query, timeout=10
        )
        found: dict[str, Any] = answer.json()
        return found

    # -- calls -------------------------------------------------------------------------

    def post(
        self,
        path: str,
        body: object,
        *,
        key: str,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> requests.Response:
        """Send JSON with a key."""
        return requests.post(
            f"{self.base_url}{path}",
            json=body,
            headers={"authorization": f"Bearer {key}", **(headers or {})},
            timeout=60,
            **more,
        )

    def chat(
        self, text: str, *, key: str, model: str = "demo-chat", **fields: object
    ) -> requests.Response:
        """Ask for one completion."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.post("/v1/chat/completions", body, key=key, stream=bool(fields.get("stream")))


def wait_until(condition: Callable[[], Found], *, timeout_s: float = PATIENCE_S) -> Found:
    """Return what a condition gives once it is true; fail if that takes too long."""
    deadline = time.monotonic() + timeout_s
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_stack(
    database_url: str, data_dir: Path, *, workers: int = 1, **settings: str
) -> Iterator[Stack]:
    """Start a sandbox and a gateway on a database; stop both at the end.

    Args:
        database_url: PostgreSQL, or empty for a SQLite file in ``data_dir``.
        data_dir: Where the gateway may write.
        workers: How many processes serve.
        settings: Variables of the environment that differ.
    """
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    with SandboxProcess.start("--webhook-url", f"{base_url}/payments/paystack") as sandbox:
        environ = {
            **os.environ,
            "APP_ENV": "development",
            "BASE_URL": base_url,
            "PORT": str(port),
            "AUTH_SECRET": AUTH_SECRET,
            "POSTGRES_URL": database_url,
            "DATA_DIR": str(data_dir),
            "WEB_CONCURRENCY": str(workers),
            "PAYSTACK_BASE_URL": sandbox.paystack_url,
            "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
            "LITELLM_BASE_URL": sandbox.litellm_url,
            "LITELLM_MASTER_KEY": "sk-sandbox-master",
            "LOG_LEVEL": "warning",
            **settings,
        }
        store_url = database_url or f"sqlite:///{data_dir / 'creditcore.db'}"
        migrate(store_url)
        with closing(open_store(store_url)) as store:
            stack = Stack(base_url, store_url, environ, sandbox, store)
            stack.flask("worker", "--once")
            try:
                stack.start()
                yield stack
            finally:
                stack.stop()
