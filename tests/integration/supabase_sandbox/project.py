"""The calls that tests of the Supabase stand-in make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from sandbox.process import SandboxProcess
from tests.stack import PATIENCE_S

PUBLISHABLE_KEY = "sb_publishable_sandbox"
SECRET_KEY = "sb_secret_sandbox"
PASSWORD = "Correct-horse-9"
SITE = "https://app.example.com"


@dataclass
class SupabaseProject:
    """A project, asked as an application asks it, and controlled as a test does."""

    sandbox: SandboxProcess
    http: requests.Session

    @property
    def url(self) -> str:
        """What ``SUPABASE_URL`` would be."""
        return f"{self.sandbox.base_url}/supabase"

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str = "",
        key: str = PUBLISHABLE_KEY,
        versioned: bool = False,
        **more: Any,
    ) -> requests.Response:
        headers = {"apikey": key} if key else {}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if versioned:
            headers["X-Supabase-Api-Version"] = "2024-01-01"
        if body is not None:
            more["json"] = body
        return self.http.request(
            method,
            f"{self.url}/auth/v1{path}",
            headers=headers | more.pop("headers", {}),
            timeout=PATIENCE_S,
            allow_redirects=False,
            **more,
        )

    def control(self, method: str, path: str, **order: Any) -> Any:
        address = f"{self.sandbox.base_url}/control/supabase{path}"
        answer = self.http.request(method, address, json=order or None, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def reset(self) -> None:
        address = f"{self.sandbox.base_url}/control/reset"
        assert self.http.post(address, timeout=PATIENCE_S).status_code == 200

    def set(self, **settings: Any) -> None:
        self.control("POST", "/settings", **settings)

    def fault(self, endpoint: str, **fault: Any) -> None:
        self.control("POST", "/faults", endpoint=endpoint, **fault)

    def ahead(self, seconds: float) -> None:
        self.control("POST", "/clock", ahead_s=seconds)

    def mails(self, to: str, kind: str = "") -> list[dict[str, Any]]:
        """Return the mails to an address, the newest first."""
        found: list[dict[str, Any]] = self.control("GET", f"/mails?to={to}")
        return [mail for mail in found if kind in {"", mail["type"]}]

    def calls(self, endpoint: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.control("GET", f"/calls?endpoint={endpoint}")
        return found

    # -- people --------------------------------------------------------------------------

    def sign_up(self, email: str, **more: Any) -> requests.Response:
        return self.ask("POST", "/signup", {"email": email, "password": PASSWORD} | more)

    def join(self, email: str) -> dict[str, Any]:
        """Make an account, confirm it by its link, and return the session."""
        assert self.sign_up(email).status_code == 200
        return self.verify(email, "signup")

    def verify(self, to: str, kind: str) -> dict[str, Any]:
        """Open the newest link of a kind."""
        mail = self.mails(to, kind)[0]
        answer = self.ask("POST", "/verify", {"type": kind, "token_hash": mail["token_hash"]})
        assert answer.status_code == 200, answer.text
        session: dict[str, Any] = answer.json()
        return session

    def login(self, email: str, password: str = PASSWORD, **more: Any) -> requests.Response:
        body = {"email": email, "password": password}
        return self.ask("POST", "/token?grant_type=password", body, **more)

    def refresh(self, token: object, **more: Any) -> requests.Response:
        body = {"refresh_token": token}
        return self.ask("POST", "/token?grant_type=refresh_token", body, **more)

    def admin(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        return self.ask(method, f"/admin/users{path}", body, key=SECRET_KEY, **more)

    def consent(
        self,
        address: str,
        act: str = "approve",
        email: str = "octo@example.com",
        *,
        verified: bool = True,
    ) -> str:
        """Walk the page of the provider, from any step on; return where the browser ends up."""
        page = address
        if "/consent/" not in urlsplit(address).path:
            page = self._next(self.http.get(address, timeout=PATIENCE_S, allow_redirects=False))
        form = {"act": act, "email": email, "state": parse_qs(urlsplit(page).query)["state"][0]}
        if verified:
            form["verified"] = "yes"
        consent = page.partition("?")[0]
        back = self._next(
            self.http.post(consent, data=form, timeout=PATIENCE_S, allow_redirects=False)
        )
        return self._next(self.http.get(back, timeout=PATIENCE_S, allow_redirects=False))

    def _next(self, answer: requests.Response) -> str:
        assert answer.status_code in {302, 303}, answer.text
        return answer.headers["Location"]


@contextmanager
def empty_project(sandbox: SandboxProcess) -> Iterator[SupabaseProject]:
    """Return a project without people, whose mails may follow each other at once."""
    with requests.Session() as http:
        project = SupabaseProject(sandbox, http)
        project.reset()
        project.set(site_url=SITE, mail_window_s=0)
        yield project
