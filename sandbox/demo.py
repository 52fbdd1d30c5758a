"""What ``make run`` does: the sandbox, the gateway and a funded demo account, in one command.

Everything is started as a user would start it, with the same commands and settings;
only the addresses point to the sandbox.
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from dotenv import dotenv_values

from sandbox.process import READY, REPOSITORY

_MODEL = "demo-chat"
_IDENTITY = ("SUPABASE_", "GOOGLE_CLIENT_ID", "GITHUB_CLIENT_ID")
_CREDITS = "1000"
_START_TIMEOUT_S = 60.0
_STOP_TIMEOUT_S = 10.0
_POLL_S = 0.1
_HISTORY = ("--months", "6", "--calls", "20000", "--people", "25")

# A proxy that this machine needs for the internet does not lead back to it.
_direct = build_opener(ProxyHandler({}))


class DemoError(Exception):
    """The demo cannot start; the message says what to do."""


@dataclass
class Demo:
    """The processes of a demo, and what they were told.

    Attributes:
        settings: Every setting of the gateway, so that no ``.env`` is asked for one.
        is_big: Whether the demo account has months of calls, and is an operator.
        data_dir: Where the database, the secret, ``demo.json`` and ``demo.env`` are kept.
    """

    settings: dict[str, str]
    port: int
    sandbox_port: int
    data_dir: Path
    is_big: bool = False
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """Where people reach the gateway."""
        return self.settings["BASE_URL"]

    @property
    def environ(self) -> dict[str, str]:
        """What our programs are started with."""
        return {**os.environ, **self.settings}

    @property
    def env_file(self) -> Path:
        """Where the settings are written down, for operator commands in another terminal."""
        return self.data_dir / "demo.env"

    def run(self) -> None:
        """Start everything, say so, and stay until something ends."""
        for port, name in ((self.port, "PORT"), (self.sandbox_port, "SANDBOX_PORT")):
            _require_free(port, name)
        try:
            self._start_sandbox()
            _flask(self.environ, "migrate")
            _flask(self.environ, "worker", "--once")
            account = self._account()
            self._start_gateway()
            self._announce(account)
            self._wait()
        finally:
            self._stop()

    def _start_sandbox(self) -> None:
        webhook = f"http://127.0.0.1:{self.port}/payments/paystack"
        child = self._spawn(
            "sandbox",
            *("--port", str(self.sandbox_port), "--webhook-url", webhook),
            *("--site-url", self.base_url),
            stdout=subprocess.PIPE,
        )
        assert child.stdout  # noqa: S101 - piped above, which the type does not say
        line = child.stdout.readline().decode()
        if not line.startswith(READY):
            raise DemoError("The sandbox did not start; its error is above.")
        self.settings["MAIL_URL"] = line.split()[-1]
        _write_private(self.env_file, _env_lines(self.settings))

    def _start_gateway(self) -> None:
        gateway = self._spawn("gunicorn", "-c", "gunicorn.conf.py", "wsgi:app")
        if self.settings["POSTGRES_URL"]:
            self._spawn("flask", "--app", "wsgi", "worker")
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not _answers(f"http://127.0.0.1:{self.port}/readyz"):
            if gateway.poll() is not None:
                raise DemoError("The gateway did not start; its error is above.")
            if time.monotonic() > deadline:
                raise DemoError("The gateway is not ready after a minute; its log is above.")
            time.sleep(_POLL_S)

    def _account(self) -> dict[str, str]:
        """Return the demo account, made anew unless an earlier run's still works."""
        notes = self.data_dir / "demo.json"
        earlier = _read_notes(notes)
        # The stand-in forgets its people when it ends.
        if earlier and not self.settings["SUPABASE_URL"] and self._still_works(earlier):
            account = {**earlier, "base_url": self.base_url}
        else:
            account = self._new_account()
        _write_private(notes, json.dumps(account, indent=2) + "\n")
        return account

    def _still_works(self, account: Mapping[str, str]) -> bool:
        """Whether this database knows the account of an earlier run."""
        done = _flask(
            self.environ, "grant", "--email", account["email"], "--credits", "1",
            "--reason", "The demo was started again", "--reference", secrets.token_hex(8),
            check=False,
        )  # fmt: skip
        return done is not None

    def _new_account(self) -> dict[str, str]:
        email = f"demo-{secrets.token_hex(3)}@creditcore.example"
        password = secrets.token_urlsafe(12)
        _flask(self.environ, "user", "create", "--email", email, "--password", password)
        _flask(
            self.environ, "grant", "--email", email, "--credits", _CREDITS, "--reason", "Demo"
        )  # fmt: skip
        # All that a key can do, so that every example of the documents works with it.
        scopes = ("--scope", "inference", "--scope", "account:manage")
        key = _flask(self.environ, "key", "issue", "--email", email, "--name", "Demo key", *scopes)
        if self.is_big:
            print("Writing half a year of calls: this takes a minute.", flush=True)
            _flask(self.environ, "demo-data", *_HISTORY, "--email", email)
            _flask(self.environ, "user", "grant-role", "--email", email, "--role", "admin")
        return {
            "base_url": self.base_url,
            "api_key": (key or "").strip(),
            "email": email,
            "password": password,
        }

    def _announce(self, account: Mapping[str, str]) -> None:
        body = json.dumps(
            {
                "model": _MODEL,
                "stream": True,
                "stream_options": {"include_usage": True},
                "messages": [{"role": "user", "content": "Say hello from Nairobi"}],
            }
        )
        flask = shlex.join([_shown(Path(sys.executable).with_name("flask")), "--env-file"])
        print(f"\nREADY {self.base_url}\n")
        print(f"Sign in as {account['email']} with password {account['password']}")
        print(f"Mail goes nowhere else: http://127.0.0.1:{self.sandbox_port}/mailbox")
        print(f"The books are in {self._books()}. From another terminal, check them:\n")
        print(f"{flask} {shlex.quote(_shown(self.env_file))} --app wsgi audit")
        print("\nStream a completion, whose last chunk says what it cost:\n")
        print(
            f"curl -N {self.base_url}/v1/chat/completions "
            f"-H 'Authorization: Bearer {account['api_key']}' "
            f"-H 'Content-Type: application/json' -d '{body}'"
        )
        print("\nCtrl-C stops everything.", flush=True)

    def _books(self) -> str:
        address = urlsplit(self.settings["POSTGRES_URL"])
        if not address.scheme:
            return _shown(self.data_dir / "creditcore.db")
        # Without the password.
        return f"PostgreSQL, {address.hostname or 'on a socket'}{address.path}"

    def _spawn(
        self, module: str, *arguments: str, stdout: int | None = None
    ) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, "-m", module, *arguments],
            env=self.environ,
            stdout=stdout,
            # Ctrl-C reaches every process of the terminal's group. Ours are stopped in order.
            start_new_session=True,
        )
        self.children.append(child)
        return child

    def _wait(self) -> None:
        while all(child.poll() is None for child in self.children):
            time.sleep(_POLL_S)
        raise DemoError("A part of the demo ended; its error is above.")

    def _stop(self) -> None:
        # SIGINT, not SIGTERM: gunicorn would wait for streams to finish.
        for child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        for child in self.children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def main() -> int:
    """Run the demo until Ctrl-C; return the exit status."""
    # Nor do our programs hear that their terminal is gone.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        # Under nohup the terminal may go.
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, _interrupt)
    try:
        _configured(_given(os.environ)).run()
    except KeyboardInterrupt:
        return 0
    except DemoError as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _given(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}


def _configured(given: Mapping[str, str]) -> Demo:
    """Fill in what was not set, so that nothing needs to be.

    Where the gateway is, what is behind it and with which keys is the demo's own affair: what
    a developer set must get no calls, payments or accounts from here. It may run on another
    database, and sell at other prices.
    """
    port, sandbox_port = _port(given, "PORT", "8000"), _port(given, "SANDBOX_PORT", "8001")
    data_dir = Path(given.get("DATA_DIR", "var")).resolve()
    _make(data_dir)
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    # The sandbox's own page must be reachable under the name the browser uses.
    checkout = f"http://localhost:{sandbox_port}/paystack"
    names = dotenv_values(REPOSITORY / ".env.example")
    settings = {
        **{name: given.get(name, "") for name in (*names, "HOST")},
        **_supabase(given, sandbox_port, [name for name in names if name.startswith(_IDENTITY)]),
        # gunicorn reads this one too, and cannot read an empty one.
        "WEB_CONCURRENCY": given.get("WEB_CONCURRENCY", "1"),
        "PORT": str(port),
        "LOG_LEVEL": given.get("LOG_LEVEL", "warning"),
        "DATA_DIR": str(data_dir),
        "APP_ENV": "development",
        "BASE_URL": f"http://localhost:{port}",
        "AUTH_SECRET": _kept_secret(data_dir / "auth_secret"),
        "PAYSTACK_BASE_URL": checkout,
        "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
        "PAYSTACK_PUBLIC_KEY": "",
        # So that M-Pesa can be tried: the page says which numbers the sandbox knows.
        "USD_TO_KES_RATE": given.get("USD_TO_KES_RATE", "129.5"),
        # At cost, welcome credits would be a loss on every operator's page.
        "USAGE_MARKUP": given.get("USAGE_MARKUP", "1.4"),
        "LITELLM_BASE_URL": f"{sandbox}/litellm",
        "LITELLM_MASTER_KEY": "sk-sandbox-master",
        "MAIL_FROM": "creditcore <no-reply@creditcore.example>",
    }
    return Demo(settings, port, sandbox_port, data_dir, is_big=given.get("DEMO") == "big")


def _supabase(given: Mapping[str, str], sandbox_port: int, names: list[str]) -> dict[str, str]:
    """Return accounts of our own, or with ``SUPABASE=1`` those of the stand-in."""
    empty = dict.fromkeys(names, "")
    if given.get("SUPABASE", "0") == "0":
        return empty
    return empty | {
        # As with the checkout: the browser passes through it.
        "SUPABASE_URL": f"http://localhost:{sandbox_port}/supabase",
        "SUPABASE_ANON_KEY": "sb_publishable_sandbox",
        "SUPABASE_SERVICE_ROLE_KEY": "sb_secret_sandbox",
        "GOOGLE_CLIENT_ID": "google-client-id",
        "GITHUB_CLIENT_ID": "github-client-id",
        "SUPABASE_LINKING": "on",
    }


def _make(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DemoError(f"DATA_DIR cannot be {str(data_dir)!r}: {error.strerror}.") from None


def _port(given: Mapping[str, str], name: str, default: str) -> int:
    text = given.get(name, default)
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise DemoError(f"{name} is a port number; it is {text!r}.")
    return int(text)


def _require_free(port: int, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise DemoError(f"Port {port} is in use. Choose another: make run {name}=...") from None


def _kept_secret(path: Path) -> str:
    """Return the secret of an earlier run, so that its keys and sessions go on working."""
    if not path.exists():
        _write_private(path, secrets.token_hex(32) + "\n")
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(text)


def _env_lines(settings: Mapping[str, str]) -> str:
    """Return settings as ``python-dotenv`` reads them."""
    quoted = {
        name: value.replace("\\", r"\\").replace("'", r"\'") for name, value in settings.items()
    }
    return "".join(f"{name}='{value}'\n" for name, value in quoted.items())


def _shown(path: Path) -> str:
    """Return a path as a developer in this folder would type it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def _read_notes(path: Path) -> dict[str, str] | None:
    try:
        notes = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    wanted = {"base_url", "api_key", "email", "password"}
    return notes if isinstance(notes, dict) and wanted <= notes.keys() else None


def _flask(environ: Mapping[str, str], *arguments: str, check: bool = True) -> str | None:
    """Run an operator command and return what it printed, or None if it may fail and did."""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "flask", "--app", "wsgi", *arguments],
        env=dict(environ),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode == 0:
        return done.stdout
    if check:
        raise DemoError(f"'flask --app wsgi {arguments[0]}' failed:\n{done.stderr.strip()}")
    return None


def _answers(url: str) -> bool:
    try:
        with _direct.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main())
