"""Answers of a real server, played back at the transport."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import responses

from adapters.supabase_auth.actions import Call
from adapters.supabase_auth.answers import Answer

DATA = Path(__file__).resolve().parents[2] / "data" / "gotrue-wire"
PROJECT_URL = "https://ref.supabase.example"
BASE_URL = f"{PROJECT_URL}/auth/v1"

_CALLS = {
    "POST /signup": Call.SIGN_UP,
    "POST /token?grant_type=refresh_token": Call.REFRESH,
    "POST /token?grant_type=pkce": Call.EXCHANGE,
    "POST /token": Call.SIGN_IN,
    "GET /user": Call.READ_USER,
    "PUT /user": Call.CHANGE_USER,
    "DELETE /user": Call.CHANGE_USER,
    "GET /reauthenticate": Call.CHANGE_USER,
    "POST /recover": Call.SEND_MAIL,
    "POST /resend": Call.SEND_MAIL,
    "POST /otp": Call.SEND_MAIL,
    "POST /magiclink": Call.SEND_MAIL,
    "POST /verify": Call.VERIFY,
    "POST /logout": Call.SIGN_OUT,
    "POST /factors": Call.FACTOR,
    "DELETE /factors": Call.FACTOR,
    "POST /invite": Call.ADMIN,
    "GET /admin": Call.ADMIN,
    "PUT /admin": Call.ADMIN,
    "POST /admin": Call.ADMIN,
    "DELETE /admin": Call.ADMIN,
}


@dataclass(frozen=True, slots=True)
class Recording:
    """One recorded answer, and what was asked."""

    name: str
    request: str
    status: int
    headers: dict[str, str]
    body: str

    @property
    def call(self) -> Call | None:
        """The adapter's name of the call; None for one that it never makes."""
        return next(
            (call for start, call in _CALLS.items() if self.request.startswith(start)), None
        )

    @property
    def is_as_the_adapter_asks(self) -> bool:
        """Whether the version header was sent."""
        return "X-Supabase-Api-Version" in self.headers or self.status < 400

    @property
    def answer(self) -> Answer:
        return Answer.parse(self.status, self.headers, self.body.encode())

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def play(self, mock: responses.RequestsMock, method: str, path: str) -> None:
        mock.add(method, BASE_URL + path, body=self.body, status=self.status, headers=self.headers)


def _load() -> dict[str, Recording]:
    recorded = json.loads((DATA / "exchanges.json").read_text())
    return {name: Recording(name, **fields) for name, fields in recorded.items()}


RECORDINGS = _load()
