"""Copies of our keys in LiteLLM's database, through its admin routes.

What these routes do was recorded from 1.91.5 and 1.106.4 (see the tests). Two of their habits
decide how they are used here: ``/key/generate`` answers 200 for a secret that it knows already,
and stores nothing of the rest; and a list of keys with one unknown among them counts as deleted
as a whole. So nothing is believed that has not been read back.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from adapters.litellm.admin import AdminClient, Answer
from creditcore.domain.errors import UpstreamUnavailableError
from creditcore.ports.upstream_keys import UpstreamKey

_PREFIX = "sk-cc-"
_MICROUSD_PER_USD = 1_000_000
# LiteLLM keeps budgets as doubles.
_TOLERATED_USD = Decimal("0.000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiteLLMKeys:
    """The virtual keys of a LiteLLM proxy with a database.

    Attributes:
        admin: How it is asked.
        auth_secret: What the secrets of the copies are derived from.
    """

    admin: AdminClient
    auth_secret: bytes = field(repr=False)

    def can_keep(self) -> bool:
        """Whether the proxy has a database.

        Raises:
            UpstreamUnavailableError: It does not answer, or its database does not.
        """
        answer = self.admin.get_openly("/health/readiness")
        state = answer.document().get("db")
        if state == "disconnected" or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UpstreamUnavailableError("The model server's database does not answer.")
        return state == "connected"

    def secret(self, key_id: str) -> str:
        """Return the secret of a copy: 49 characters, ``sk-`` first, as every version wants it."""
        derived = hmac.digest(self.auth_secret, f"litellm key {key_id}".encode(), "sha256")
        return _PREFIX + base64.urlsafe_b64encode(derived).decode().rstrip("=")

    def put(self, key: UpstreamKey) -> str:
        """Make or change the copy of a key, read it back, and return the hash of its secret.

        Raises:
            UpstreamUnavailableError: It is not known to be as it should.
        """
        secret = self.secret(key.key_id)
        name = hashlib.sha256(secret.encode()).hexdigest()
        found = self._find(name)
        wanted = _wanted(key, spend=_amount(found, "spend"))
        if found is not None and _is_as(found, wanted):
            return name
        if found is None:
            route, change = "/key/generate", {"key": secret, **_sent(wanted)}
        else:
            route, change = "/key/update", {"key": name, **_sent(wanted)}
        answer = self.admin.post(route, change)
        if answer.status == HTTPStatus.BAD_REQUEST and _culprit(answer) == "key_alias":
            # A foreign key has this alias: ours gets one that holds its hash.
            wanted["key_alias"] = f"creditcore {name}"
            answer = self.admin.post(route, change | {"key_alias": wanted["key_alias"]})
        if answer.status != HTTPStatus.OK:
            raise _refused(answer)
        found = self._find(name)
        if found is None or not _is_as(found, wanted):
            raise UpstreamUnavailableError("The model server does not have a key as it was sent.")
        return name

    def remove(self, key_id: str) -> None:
        """Delete the copy of a key, and read back that it is gone.

        Raises:
            UpstreamUnavailableError: It may still open something.
        """
        name = hashlib.sha256(self.secret(key_id).encode()).hexdigest()
        if self._find(name) is None:
            return
        self.admin.post("/key/delete", {"keys": [name]})
        if self._find(name) is not None:
            raise UpstreamUnavailableError("The model server still has a key that was deleted.")

    def _find(self, name: str) -> dict[str, Any] | None:
        """Return a copy as it is; 1.91.5 has forgotten a deleted key, later versions say so."""
        answer = self.admin.get("/key/info", {"key": name})
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if answer.status != HTTPStatus.OK:
            raise _refused(answer)
        found = answer.document().get("info")
        if not isinstance(found, dict):
            raise UpstreamUnavailableError("The model server's answer about a key has no info.")
        return None if found.get("status") == "deleted" else found


def _wanted(key: UpstreamKey, *, spend: Decimal) -> dict[str, Any]:
    return {
        # Aliases have to be unique, and two people may give their keys the same name.
        "key_alias": f"{key.name} ({key.key_id})",
        "user_id": key.owner_id,
        "max_budget": spend + Decimal(key.headroom_microusd) / _MICROUSD_PER_USD,
        "metadata": {"creditcore_key_id": key.key_id},
        "blocked": False,
    }


def _sent(wanted: dict[str, Any]) -> dict[str, Any]:
    return {**wanted, "max_budget": float(wanted["max_budget"])}


def _is_as(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    metadata = found.get("metadata")
    return (
        found.get("key_alias") == wanted["key_alias"]
        and found.get("user_id") == wanted["user_id"]
        and isinstance(metadata, dict)
        and metadata.get("creditcore_key_id") == wanted["metadata"]["creditcore_key_id"]
        and not found.get("blocked")
        and abs(_amount(found, "max_budget") - wanted["max_budget"]) <= _TOLERATED_USD
    )


def _amount(found: dict[str, Any] | None, name: str) -> Decimal:
    value = None if found is None else found.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return Decimal(0)
    return Decimal(value)


def _refused(answer: Answer) -> UpstreamUnavailableError:
    """Return an error that names the field at fault, and no more: the text may hold secrets."""
    what = _culprit(answer) or "a key"
    return UpstreamUnavailableError(f"The model server answered {answer.status} about {what}.")


def _culprit(answer: Answer) -> str:
    """Return the field that a refusal names; empty where it names none."""
    try:
        error = answer.document().get("error")
    except UpstreamUnavailableError:
        return ""
    param = error.get("param") if isinstance(error, dict) else None
    # 1.91.5 writes Python's None as text.
    named = isinstance(param, str) and param.isidentifier() and param != "None"
    return str(param) if named else ""
