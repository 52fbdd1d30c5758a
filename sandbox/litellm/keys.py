"""Virtual keys of LiteLLM's admin side, as 1.91.5 and 1.106.4 were recorded to keep them."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from werkzeug.wrappers import Request, Response

from sandbox.litellm.errors import LiteLLMError, error_body
from sandbox.routing import json_answer

MIN_KEY_LENGTH = 16
_SETTABLE = ("key_alias", "user_id", "models", "max_budget", "metadata", "blocked", "rpm_limit")


@dataclass
class VirtualKey:
    """One row of ``LiteLLM_VerificationToken``, as far as it matters here."""

    token: str
    key_name: str
    key_alias: str | None = None
    user_id: str | None = None
    models: list[str] = field(default_factory=list)
    max_budget: float | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    blocked: bool | None = None
    rpm_limit: int | None = None
    spend: float = 0.0
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    deleted_at: str | None = None

    def as_info(self) -> dict[str, Any]:
        """Return what ``/key/info`` says under ``info``."""
        return {
            "key_name": self.key_name,
            "key_alias": self.key_alias,
            "soft_budget_cooldown": False,
            "spend": self.spend,
            "total_spend": self.spend,
            "expires": None,
            "models": self.models,
            "aliases": {},
            "config": {},
            "user_id": self.user_id,
            "team_id": None,
            "metadata": self.metadata,
            "blocked": self.blocked,
            "rpm_limit": self.rpm_limit,
            "tpm_limit": None,
            "max_parallel_requests": None,
            "max_budget": self.max_budget,
            "budget_duration": None,
            "budget_reset_at": None,
            "allowed_routes": [],
            "permissions": {},
            "created_at": self.created_at,
            "updated_at": self.created_at,
            **({"status": "deleted", "deleted_at": self.deleted_at} if self.deleted_at else {}),
        }


class VirtualKeys:
    """The admin routes of keys, and who a key of a call is.

    Attributes:
        database_down: Everything that needs the database fails, calls with virtual keys too.
        answers: The admin routes answer; cleared, they hang until it is set.
        stores_nothing: ``/key/generate`` answers 200 and keeps nothing.
        refuses_alias: Every alias is taken.
    """

    def __init__(self, *, master_key: str) -> None:
        """Start without keys."""
        self._master = master_key.encode()
        self._changing = threading.Lock()
        self.rows: dict[str, VirtualKey] = {}
        self.database_down = False
        self.stores_nothing = False
        self.refuses_alias = False
        self.answers = threading.Event()
        self.answers.set()
        self.routes: list[tuple[str, str, Callable[[Request], Response]]] = [
            ("POST", "/key/generate", self._guarded(self._generate)),
            ("GET", "/key/info", self._guarded(self._info)),
            ("POST", "/key/update", self._guarded(self._update)),
            ("POST", "/key/delete", self._guarded(self._delete)),
            ("POST", "/key/block", self._guarded(self._block)),
            ("POST", "/key/unblock", self._guarded(self._unblock)),
            ("GET", "/key/list", self._guarded(self._list)),
        ]

    def clear(self) -> None:
        """Restart empty, in good health."""
        with self._changing:
            self.rows.clear()
        self.database_down = self.stores_nothing = self.refuses_alias = False
        self.answers.set()

    def check(self, key: str, *, model: object) -> VirtualKey | None:
        """Return the key of a call; None for the master key.

        Raises:
            LiteLLMError: It opens nothing, is blocked, over budget, or not for this model.
        """
        if hmac.compare_digest(key.encode(), self._master):
            return None
        if self.database_down:
            body = error_body(503, "Authentication Error, No DB Connected", "no_db_connection")
            raise LiteLLMError(503, body)
        row = self.rows.get(_hashed(key))
        if row is None or row.deleted_at is not None:
            raise _unknown(key)
        if row.blocked:
            raise LiteLLMError(
                401,
                error_body(
                    401,
                    "Authentication Error, Key is blocked. Update via `/key/unblock` if you're an "
                    "admin.",
                    "auth_error",
                    "None",
                ),
            )
        if row.max_budget is not None and row.spend >= row.max_budget:
            raise LiteLLMError(
                429,
                error_body(
                    429,
                    f"Budget has been exceeded! Key={row.key_alias} ({row.key_name}) Current "
                    f"cost: {row.spend}, Max budget: {row.max_budget}",
                    "budget_exceeded",
                ),
            )
        if row.models and model not in row.models:
            raise LiteLLMError(
                403,
                error_body(
                    403,
                    f"The requested model '{model}' is not available for this API key, or the "
                    "model name is invalid. Check the models available to you and try again.",
                    "key_model_access_denied",
                    "model",
                ),
            )
        return row

    def _guarded(self, view: Callable[[Request], Response]) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            try:
                if scheme.lower() != "bearer" or not hmac.compare_digest(
                    key.strip().encode(), self._master
                ):
                    raise _unknown(key.strip())
                self.answers.wait()
                if self.database_down:
                    body = error_body(500, "No DB Connected", "internal_server_error")
                    return Response(body, status=500, content_type="application/json")
                with self._changing:
                    return view(request)
            except LiteLLMError as error:
                return Response(error.body, status=error.status, content_type="application/json")

        return answer

    def _generate(self, request: Request) -> Response:
        body = _body(request)
        key = str(body.get("key") or "")
        if not key.startswith("sk-"):
            raise _bad(
                "{'error': \"Invalid key format. LiteLLM Virtual Key must start with 'sk-'. "
                f'Received: {key[:4]}****{key[-4:]}"}}'
            )
        if len(key) < MIN_KEY_LENGTH:
            raise _bad(
                "{'error': 'Invalid key format. LiteLLM Virtual Key must be at least 16 characters "
                "long.'}"
            )
        self._refuse_taken_alias(body.get("key_alias"), besides=None)
        token = _hashed(key)
        row = VirtualKey(token, f"sk-...{key[-4:]}")
        _apply(row, body)
        # A secret that is known already: 200, and nothing is stored.
        known = self.rows.get(token)
        if not self.stores_nothing and (known is None or known.deleted_at is not None):
            self.rows[token] = row
        return json_answer({**row.as_info(), "key": key, "token": token, "token_id": token})

    def _info(self, request: Request) -> Response:
        asked = request.args.get("key", "")
        row = self._row(asked)
        if row is None:
            raise LiteLLMError(
                404, error_body(404, "Key not found in database", "not_found_error", "key")
            )
        return json_answer({"key": asked, "info": row.as_info()})

    def _update(self, request: Request) -> Response:
        body = _body(request)
        if "key" not in body:
            missing = {"type": "missing", "loc": ["body", "key"], "msg": "Field required"}
            return json_answer({"detail": [missing]}, 422)
        row = self._found(body)
        self._refuse_taken_alias(body.get("key_alias"), besides=row)
        _apply(row, body)
        return json_answer({"key": body["key"], "token": row.token, **row.as_info()})

    def _delete(self, request: Request) -> Response:
        asked = _body(request).get("keys")
        keys = asked if isinstance(asked, list) else []
        rows = [self._row(str(key)) for key in keys]
        if not any(row is not None and row.deleted_at is None for row in rows):
            raise LiteLLMError(
                404,
                error_body(404, "{'error': 'No keys found'}", "internal_server_error"),
            )
        for row in rows:
            if row is not None:
                row.deleted_at = datetime.now(UTC).isoformat()
        # An unknown one among known ones counts as deleted too.
        return json_answer({"deleted_keys": keys})

    def _block(self, request: Request) -> Response:
        row = self._found(_body(request))
        row.blocked = True
        return json_answer({"token": row.token, **row.as_info()})

    def _unblock(self, request: Request) -> Response:
        row = self._found(_body(request))
        row.blocked = False
        return json_answer({"token": row.token, **row.as_info()})

    def _list(self, request: Request) -> Response:
        rows = [row for row in self.rows.values() if row.deleted_at is None]
        size = min(100, max(1, int(request.args.get("size", "10"))))
        page = max(1, int(request.args.get("page", "1")))
        shown = rows[(page - 1) * size : page * size]
        full = request.args.get("return_full_object") == "true"
        keys = [{"token": row.token, **row.as_info()} if full else row.token for row in shown]
        return json_answer(
            {
                "keys": keys,
                "total_count": len(rows),
                "current_page": page,
                "total_pages": -(-len(rows) // size),
            }
        )

    def _row(self, key: str) -> VirtualKey | None:
        return self.rows.get(_hashed(key) if key.startswith("sk-") else key)

    def _found(self, body: dict[str, Any]) -> VirtualKey:
        row = self._row(str(body.get("key", "")))
        if row is None or row.deleted_at is not None:
            raise LiteLLMError(404, error_body(404, "Key not found.", "not_found_error", "key"))
        return row

    def _refuse_taken_alias(self, alias: object, *, besides: VirtualKey | None) -> None:
        if alias is None:
            return
        taken = any(
            row.key_alias == alias and row is not besides and row.deleted_at is None
            for row in self.rows.values()
        )
        if taken or self.refuses_alias:
            raise LiteLLMError(
                400,
                error_body(
                    400,
                    f"Key with alias '{alias}' already exists. Unique key aliases across all keys "
                    "are required.",
                    "bad_request_error",
                    "key_alias",
                ),
            )


def _apply(row: VirtualKey, body: dict[str, Any]) -> None:
    for name in _SETTABLE:
        if name in body:
            value = body[name]
            if name == "max_budget" and value is not None:
                if isinstance(value, bool) or not isinstance(value, int | float):
                    raise _bad("max_budget must be a number")
                value = float(value)
            setattr(row, name, value)


def _body(request: Request) -> dict[str, Any]:
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _bad(message: str) -> LiteLLMError:
    return LiteLLMError(400, error_body(400, message, "internal_server_error"))


def _unknown(key: str) -> LiteLLMError:
    shown = f"sk-...{key[-4:]}" if len(key) >= MIN_KEY_LENGTH else "sk-..."
    return LiteLLMError(
        401,
        error_body(
            401,
            "Authentication Error, Invalid proxy server token passed. Received API Key = "
            f"{shown}, Key Hash (Token) ={_hashed(key)}. Unable to find token in cache or "
            "`LiteLLM_VerificationTokenTable`",
            "token_not_found_in_db",
            "key",
        ),
    )
