"""The site in this process, on the stores of the tests: nothing is started, nothing is written."""

from __future__ import annotations

import importlib
import io
from dataclasses import dataclass, replace
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from requests.adapters import BaseAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from werkzeug.test import EnvironBuilder, run_wsgi_app

from adapters.flask_web.app import create_app
from adapters.flask_web.settings import Settings
from adapters.pony_store import PonyTransactions
from creditcore import Wallet
from creditcore.services import Services
from creditcore.testing.memory import MemoryTransactions
from creditcore.usecases.books.audit_books import AuditBooks, Report

ENVIRON = {
    "APP_ENV": "development",
    "AUTH_SECRET": "a-secret-for-tests-0123456789-abcdef",
    # Nothing answers there: what needs another server is tested with one, in tests/e2e.
    "PAYSTACK_BASE_URL": "http://127.0.0.1:9",
    "PAYSTACK_SECRET_KEY": "sk_test_sandbox",
    "LITELLM_BASE_URL": "http://127.0.0.1:9",
    "LITELLM_MASTER_KEY": "sk-sandbox-master",
    "CREDIT_PLANS": "5,10,15,20,25",
    "SIGNUP_CREDITS_PER_DAY": "1000000",
}


class Site:
    """The composition root's own adapters and rules, with another store under them."""

    base_url = "http://creditcore.test"

    def __init__(
        self, store: MemoryTransactions | PonyTransactions, folder: Path, **settings: str
    ) -> None:
        environ = {**ENVIRON, "BASE_URL": self.base_url, "DATA_DIR": str(folder), **settings}
        with pytest.MonkeyPatch.context() as patched:
            # Importing the composition root builds a site of the environment.
            for name, value in environ.items():
                patched.setenv(name, value)
            root = importlib.import_module("wsgi")
        read = Settings.from_env(environ)
        read.make_data_dir()
        ports = root.ports_of(read)
        identity, operators = root._recognisers(
            read, store, ports.clock, ports.ids, ports.vault, hashing=None
        )
        ports = replace(
            ports,
            transactions=store,
            committing=store,
            migrate=list,
            pending_migrations=list,
            identity=identity,
            operators=operators,
        )
        self.store = store
        self.services = Services.of(ports, root.rules_of(read))
        self.app: Flask = create_app(self.services, read)

    def adapter(self, address: str) -> BaseAdapter:
        """Return how a session of ``requests`` reaches the site, from an address."""
        return _InProcess(self.app, address)

    def wallet_of(self, person_id: str) -> Wallet:
        """Read a person's wallet from the store."""
        with self.store.begin() as tx:
            return tx.ledger.find_wallet_of(person_id)

    def audit(self) -> Report:
        """Audit the books, as the operator's command does."""
        return AuditBooks(transactions=self.store).audit()

    def a_key(self, person_id: str) -> str:
        """Make a key for a person and return its secret."""
        _, secret = self.services.keys.issuing.issue(person_id, name="test")
        return secret.text


@dataclass
class _Original:
    """What urllib3 keeps of the standard library's answer."""

    msg: HTTPMessage

    def isclosed(self) -> bool:
        return True

    def close(self) -> None:
        """It has been read."""


class _InProcess(BaseAdapter):
    """Asks an application instead of a server; the answer is as one from a socket."""

    def __init__(self, app: Flask, address: str) -> None:
        super().__init__()
        self._app = app
        self._address = address

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        url = urlsplit(request.url)
        body = request.body or b""
        environ = EnvironBuilder(
            method=request.method,
            path=url.path,
            query_string=url.query,
            base_url=f"{url.scheme}://{url.netloc}",
            headers=list(request.headers.items()),
            data=body.encode() if isinstance(body, str) else body,
            environ_base={"REMOTE_ADDR": self._address},
        ).get_environ()
        written, status, headers = run_wsgi_app(self._app.wsgi_app, environ, buffered=True)
        lines = headers.to_wsgi_list()
        raw = HTTPResponse(
            body=io.BytesIO(b"".join(written)),
            headers=HTTPHeaderDict(lines),
            status=int(status.split()[0]),
            reason=status.split(maxsplit=1)[1],
            preload_content=False,
        )
        # Where a session looks for cookies.
        raw._original_response = _Original(HTTPMessage())
        for name, value in lines:
            raw._original_response.msg.add_header(name, value)
        return _response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


_response = requests.adapters.HTTPAdapter().build_response
