"""The whole product as its users run it: real processes, real HTTP, a real database."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from adapters.pony_store import PonyTransactions, open_store
from creditcore import (
    AuditBooks,
    Credits,
    GrantCredits,
    IssueKey,
    SystemClock,
    SystemIds,
    Wallet,
)
from creditcore.domain.identities import Identity
from creditcore.domain.limits import KeyLimits
from creditcore.usecases.books.audit_books import Report
from creditcore.usecases.people.welcome_person import WelcomePerson
from sandbox.process import SandboxProcess
from tests.command_server import run_flask
from tests.stores import migrated_sqlite_file

REPOSITORY = Path(__file__).resolve().parent.parent
GUNICORN = Path(sys.executable).with_name("gunicorn")
AUTH_SECRET = "a-secret-for-tests-0123456789-abcdef"
METRICS_TOKEN = "a-token-of-these-tests"
PATIENCE_S = 60.0
"""How long to wait for what must come. On a busy machine it may take long; no wait is longer
than it has to be.
"""

SECRET_SETTINGS = (
    "AUTH_SECRET",
    "PAYSTACK_SECRET_KEY",
    "LITELLM_MASTER_KEY",
    "LITELLM_DIRECT_TOKEN",
    "SUPABASE_SERVICE_ROLE_KEY",
    "METRICS_TOKEN",
    "ALERT_WEBHOOK_SECRET",
)
A_KEY = re.compile(r"sk-cc-\w{32,}|creditcore_session=\S{8,}|eyJ[\w-]+\.[\w-]+\.[\w-]+")
"""Keys of people, cookies of sessions, and access tokens."""

Found = TypeVar("Found")


@dataclass(frozen=True)
class Account:
    """Somebody with credits and a key."""

    person_id: str
    email: str
    wallet_id: str
    api_key: str


class FromAddress(HTTPAdapter):
    """Connects from one of this machine's many loopback addresses, as one visitor of many."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


@dataclass
class Stack:
    """A gateway, the sandbox behind it, and the database under it."""

    base_url: str
    database_url: str
    environ: dict[str, str]
    sandbox: SandboxProcess
    store: PonyTransactions
    log: Path
    process: subprocess.Popen[bytes] | None = None

    # -- processes -------------------------------------------------------------------

    def start(self) -> None:
        """Start the gateway and return when it is ready."""
        with ExitStack() as opened:
            self.process = subprocess.Popen(
                # As operators call it: one that is told to replace itself is called so again.
                [GUNICORN, "-c", "gunicorn.conf.py", "wsgi:app"],
                env=self.environ,
                cwd=REPOSITORY,
                start_new_session=True,
                stderr=opened.enter_context(self.log.open("ab")),
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
        # The workers die a moment after their parent; until then they hold the port.
        wait_until(self._is_gone)

    def _is_gone(self) -> bool:
        address = urlsplit(self.base_url)
        with socket.socket() as probe:
            return probe.connect_ex((address.hostname, address.port)) == errno.ECONNREFUSED

    def _ready(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/readyz", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def flask(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run an operator command."""
        done = run_flask(arguments, self.environ, timeout_s=5 * PATIENCE_S)
        if check:
            assert done.returncode == 0, done.stderr
        assert secrets_in(done.stderr, self.environ) == []
        return done

    def search_log(self) -> None:
        """See that nothing in the log lets anybody in, and show it where a test has failed."""
        written = self.log.read_text(errors="backslashreplace")
        sys.stderr.write(written)
        assert secrets_in(written, self.environ) == []

    def adapter(self, address: str) -> HTTPAdapter:
        """Return how a session of ``requests`` reaches the gateway, from an address."""
        return FromAddress(address)

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

    def a_key(self, person_id: str, *, limits: KeyLimits | None = None) -> str:
        """Make another key for somebody."""
        issue = IssueKey(
            transactions=self.store,
            clock=SystemClock(),
            ids=SystemIds(),
            pepper=AUTH_SECRET.encode(),
        )
        _, secret = issue.issue(person_id, name="test", limits=limits)
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

    def audit(self) -> Report:
        """Audit the books, as the operator's command does."""
        return AuditBooks(transactions=self.store).audit()

    def upstream(self, **query: object) -> dict[str, Any]:
        """Return what reached the model server."""
        answer = requests.get(
            f"{self.sandbox.base_url}/control/litellm/calls", params=query, timeout=PATIENCE_S
        )
        found: dict[str, Any] = answer.json()
        return found

    def mails(self, address: str) -> list[dict[str, Any]]:
        """Return what was mailed to an address, newest first."""
        answer = requests.get(
            f"{self.sandbox.base_url}/mailbox/mails.json",
            params={"to": address},
            timeout=PATIENCE_S,
        )
        found: list[dict[str, Any]] = answer.json()
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
            timeout=PATIENCE_S,
            **more,
        )

    def chat(
        self, text: str, *, key: str, model: str = "demo-chat", **fields: object
    ) -> requests.Response:
        """Ask for one completion."""
        body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
        return self.post("/v1/chat/completions", body, key=key, stream=bool(fields.get("stream")))


def secrets_in(text: str, environ: Mapping[str, str]) -> list[str]:
    """Return what a text holds that opens an account: keys, and what the gateway was given."""
    given = [environ.get(name, "") for name in SECRET_SETTINGS]
    return [
        *(match.group() for match in A_KEY.finditer(text)),
        *(value for value in given if value and value in text),
    ]


def wait_until(condition: Callable[[], Found], *, timeout_s: float = PATIENCE_S) -> Found:
    """Return what a condition gives once it is true; fail if that takes too long."""
    deadline = time.monotonic() + timeout_s
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, "it never became true"
        time.sleep(0.02)


@contextmanager
def reserved_port() -> Iterator[int]:
    """Choose a port for a server that starts later, and keep it from everybody else.

    It is bound here without listening. So Linux gives it to no program that takes just any
    port, be it for a connection that leaves; a server that reuses addresses, as ours
    do, may still listen on it.
    """
    with closing(socket.socket()) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        yield port


@contextmanager
def running_stack(
    database_url: str,
    data_dir: Path,
    *,
    workers: int = 1,
    log: Path | None = None,
    supabase: bool = False,
    **settings: str,
) -> Iterator[Stack]:
    """Start a sandbox and a gateway on a database; stop both at the end.

    Args:
        database_url: PostgreSQL with our tables, or empty for a SQLite file in ``data_dir``.
        data_dir: Where the gateway may write.
        workers: How many processes serve.
        log: Where to write down what the gateway says; else a file in ``data_dir``.
        supabase: Whether the sandbox's Supabase keeps the accounts.
        settings: Variables of the environment that differ.
    """
    with ExitStack() as running:
        port = running.enter_context(reserved_port())
        base_url = f"http://127.0.0.1:{port}"
        sandbox = running.enter_context(
            SandboxProcess.start(
                *("--webhook-url", f"{base_url}/payments/paystack", "--site-url", base_url)
            )
        )
        if supabase:
            settings = {
                "SUPABASE_URL": f"{sandbox.base_url}/supabase",
                "SUPABASE_ANON_KEY": "sb_publishable_sandbox",
                "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_sandbox",
                "GOOGLE_CLIENT_ID": "google-client-id",
                "GITHUB_CLIENT_ID": "github-client-id",
                "SUPABASE_LINKING": "on",
                **settings,
            }
        environ = {
            **os.environ,
            "APP_ENV": "development",
            "BASE_URL": base_url,
            "PORT": str(port),
            "AUTH_SECRET": AUTH_SECRET,
            "POSTGRES_URL": database_url,
            "DATA_DIR": str(data_dir),
            "METRICS_TOKEN": METRICS_TOKEN,
            "WEB_CONCURRENCY": str(workers),
            "CREDIT_PLANS": "5,10,15,20,25",
            "PAYSTACK_BASE_URL": sandbox.paystack_url,
            "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
            "LITELLM_BASE_URL": sandbox.litellm_url,
            "LITELLM_MASTER_KEY": "sk-sandbox-master",
            "MAIL_URL": sandbox.mail_url,
            "MAIL_FROM": "Test House <no-reply@house.example>",
            "LOG_LEVEL": "warning",
            "SIGNUP_CREDITS_PER_DAY": "1000000",
            **settings,
        }
        store_url = database_url or migrated_sqlite_file(data_dir / "creditcore.db")
        store = running.enter_context(closing(open_store(store_url, wait_s=PATIENCE_S)))
        log = log or data_dir / "gateway.log"
        log.touch()
        stack = Stack(base_url, store_url, environ, sandbox, store, log=log)
        running.callback(stack.search_log)
        running.callback(stack.stop)
        if database_url:
            # On SQLite the gateway does the worker's chores itself, the first time at once.
            worker = running.enter_context(ThreadPoolExecutor(1))
            prices = worker.submit(stack.flask, "worker", "--once")
            stack.start()
            prices.result()
        else:
            stack.start()
        yield stack
