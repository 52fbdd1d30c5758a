"""What is measured: each takes calls on a port of its own and sends them to the stand-in."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from bench.accounts import make_accounts
from bench.another_version import make_accounts_of
from bench.children import Children
from bench.installs import Installs, MissingError, say
from bench.limits import ALL_LIMITS
from bench.nginx import start_proxying
from bench.place import HOST, REPOSITORY, WIRE, Place, free_port
from bench.postgres import Postgres
from bench.programs import said_by_python
from bench.standin import MODELS, StandIn, request_body
from bench.waiting import wait_for_http
from bench.watchdog import STALLS_VARIABLE
from creditcore.domain.limits import KeyLimits

ACCOUNTS = 256
"""As many as calls at once, so that calls rarely meet in one wallet."""

_UPSTREAM_KEY = "sk-bench-upstream"


@dataclass(frozen=True, slots=True)
class Target:
    """Something that takes calls.

    Attributes:
        name: Its name in the report.
        url: Its root, without ``/v1``.
        headers: What clients send, each in turn.
        pids: The first process of everything that serves a call, the database aside.
        database_pid: The database's first process, where it has one of its own.
        stalls: Where its watchdog writes, where it has one.
        audit: Returns what its books say after all, where it keeps books.
    """

    name: str
    url: str
    headers: Sequence[Mapping[str, str]] = ({"authorization": "Bearer sk-bench"},)
    pids: tuple[int, ...] = ()
    database_pid: int | None = None
    stalls: Path | None = None
    audit: Callable[[], str] | None = None


@dataclass(frozen=True, slots=True)
class Targets:
    """Starts targets in front of a stand-in.

    Attributes:
        postgres: The server whose databases they get; None where there is none.
        before: Where another version of this repository is checked out.
        missing: Why a target could not be started, by its name.
    """

    children: Children
    installs: Installs
    place: Place
    postgres: Postgres | None
    before: Path | None = None
    missing: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def running(self, names: Sequence[str], upstream: StandIn) -> Iterator[list[Target]]:
        """Start targets and stop them at the end; those that are missing are noted."""
        before = list(self.children.running)
        started = []
        try:
            for name in names:
                say(f"starting {name}")
                try:
                    started.append(self._start(name, upstream))
                except MissingError as error:
                    self.missing[name] = str(error)
                    say(f"{name} is missing: {error}")
            yield started
        finally:
            for child in reversed(self.children.running):
                if child not in before:
                    self.children.stop(child)

    def _start(self, name: str, upstream: StandIn) -> Target:
        start = {
            "direct": self._direct,
            "nginx": self._nginx,
            "sqlite": self._sqlite,
            "postgres": self._postgres,
            "before": self._before,
            "postgres-2": self._postgres_twice,
            "limited": self._limited,
            "unobserved": self._unobserved,
            "observed": self._observed,
            "portkey": self._portkey,
            "litellm": self._litellm,
        }[name]
        target, child = start(upstream)
        wait_for_http(
            f"{target.url}/v1/chat/completions",
            child,
            body=json.dumps(request_body()).encode(),
            headers=target.headers[0],
        )
        return target

    def _direct(self, upstream: StandIn) -> tuple[Target, None]:
        return Target("direct", upstream.url, pids=(upstream.pid,)), None

    def _nginx(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        url, child = start_proxying(
            self.children, self.installs.nginx(), self.place, "nginx", upstream_url=upstream.url
        )
        return Target("nginx", url, pids=(child.pid,)), child

    def _sqlite(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        return self._creditcore("sqlite", upstream, database_url="", workers=1)

    def _postgres(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        return self._creditcore("postgres", upstream, database_url=self._new_url(), workers=1)

    def _before(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        """Start what ``postgres`` is, as it was in another version."""
        if self.before is None:
            raise MissingError("--before FOLDER says where another version is checked out")
        return self._creditcore(
            "before", upstream, database_url=self._new_url(), workers=1, folder=self.before
        )

    def _postgres_twice(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        return self._creditcore("postgres-2", upstream, database_url=self._new_url(), workers=2)

    def _limited(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        """Start what ``postgres`` is, whose keys and accounts have every limit there is."""
        return self._creditcore(
            "limited", upstream, database_url=self._new_url(), workers=1, limits=ALL_LIMITS
        )

    def _unobserved(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        """Start what ``postgres`` is, which counts nothing and calls with the master key alone."""
        return self._creditcore(
            "unobserved",
            upstream,
            database_url=self._new_url(),
            workers=1,
            application="bench.unobserved:app",
            LITELLM_KEYS="shared",
        )

    def _observed(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        """Start what ``postgres`` is, each of whose keys calls with its own key of LiteLLM."""
        return self._creditcore(
            "observed",
            upstream,
            database_url=self._new_url(),
            workers=1,
            has_copies=True,
            LITELLM_KEYS="mirror",
        )

    def _new_url(self) -> str:
        if self.postgres is None:
            raise MissingError("there is no PostgreSQL")
        return self.postgres.new_database(f"gateway_{secrets.token_hex(4)}")

    def _creditcore(
        self,
        name: str,
        upstream: StandIn,
        *,
        database_url: str,
        workers: int,
        limits: KeyLimits | None = None,
        has_copies: bool = False,
        application: str = "wsgi:app",
        folder: Path = REPOSITORY,
        **settings: str,
    ) -> tuple[Target, Popen[bytes]]:
        run = self.place.run / f"{name}-{secrets.token_hex(4)}"
        run.mkdir(parents=True)
        port = free_port()
        url = f"http://{HOST}:{port}"
        pepper = secrets.token_hex(32)
        environ = {
            "APP_ENV": "development",
            "BASE_URL": url,
            "PORT": str(port),
            "AUTH_SECRET": pepper,
            "POSTGRES_URL": database_url,
            "DATA_DIR": str(run),
            "WEB_CONCURRENCY": str(workers),
            "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
            "PAYSTACK_BASE_URL": upstream.url,
            "LITELLM_BASE_URL": upstream.url,
            "LITELLM_MASTER_KEY": _UPSTREAM_KEY,
            "LOG_LEVEL": "warning",
            STALLS_VARIABLE: str(run),
            **settings,
        }
        store_url = database_url or f"sqlite:///{run / 'creditcore.db'}"
        _flask(environ, folder, "migrate")
        _flask(environ, folder, "worker", "--once")
        if folder == REPOSITORY:
            keys = make_accounts(
                store_url,
                pepper=pepper.encode(),
                count=ACCOUNTS,
                limits=limits,
                has_copies=has_copies,
            )
        else:
            keys = make_accounts_of(folder, store_url, pepper=pepper, count=ACCOUNTS)
        child = self.children.start(
            name,
            [sys.executable, "-m", "gunicorn", "-c", "bench/gunicorn_watched.py", application],
            environ=environ,
            cwd=folder,
        )
        target = Target(
            name,
            url,
            headers=[{"authorization": f"Bearer {key}"} for key in keys],
            pids=(child.pid,),
            database_pid=self.postgres.pid if self.postgres and database_url else None,
            stalls=run,
            audit=lambda: _audit(environ, folder),
        )
        return target, child

    def _portkey(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        port = free_port()
        child = self.children.start(
            "portkey",
            [
                *(self.installs.node(), "--require", WIRE / "loopback.cjs"),
                *(self.installs.portkey(), "--headless", f"--port={port}"),
            ],
            environ={"NODE_ENV": "production"},
            cwd=self.place.run,
        )
        headers = {
            "authorization": "Bearer sk-bench",
            "x-portkey-provider": "openai",
            "x-portkey-custom-host": f"{upstream.url}/v1",
        }
        return Target("portkey", f"http://{HOST}:{port}", [headers], (child.pid,)), child

    def _litellm(self, upstream: StandIn) -> tuple[Target, Popen[bytes]]:
        port = free_port()
        configuration = self.place.run / "litellm.json"  # YAML reads JSON
        models = [
            {
                "model_name": name,
                "litellm_params": {
                    "model": f"openai/{name}",
                    "api_base": f"{upstream.url}/v1",
                    "api_key": _UPSTREAM_KEY,
                    "input_cost_per_token": 1e-06,
                    "output_cost_per_token": 4e-06,
                },
            }
            for name in MODELS
        ]
        configuration.write_text(
            json.dumps(
                {
                    "model_list": models,
                    "litellm_settings": {"num_retries": 0, "telemetry": False},
                    "general_settings": {"master_key": "sk-bench"},
                }
            )
        )
        child = self.children.start(
            "litellm",
            [
                *(self.installs.litellm(), "--config", configuration),
                *("--host", HOST, "--port", str(port), "--num_workers", "1"),
            ],
            environ={
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
                "LITELLM_LOG": "ERROR",
                "LITELLM_MODE": "PRODUCTION",
            },
            cwd=self.place.run,
        )
        return Target("litellm", f"http://{HOST}:{port}", pids=(child.pid,)), child


def _flask(environ: Mapping[str, str], folder: Path, *arguments: str) -> str:
    return said_by_python(folder, "-m", "flask", "--app", "wsgi", *arguments, environ=environ)


def _audit(environ: Mapping[str, str], folder: Path) -> str:
    """Check every invariant on the books that the load has left behind."""
    try:
        _flask(environ, folder, "audit")
    except MissingError as error:
        return str(error)
    return "clean"
