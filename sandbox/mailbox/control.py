"""Faults of the mail server, for tests."""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Request, Response

from sandbox.mailbox.store import Mailbox
from sandbox.routing import Router, control_error, json_answer, json_object


class MailboxControl:
    """Under ``/control/mailbox``."""

    def __init__(self, mailbox: Mailbox) -> None:
        """Control this mailbox."""
        self._mailbox = mailbox
        self._router = Router([("POST", "/faults", self._faults)], error=control_error)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._router(environ, start_response)

    def _faults(self, request: Request) -> Response:
        """Set ``{"down": true, "refusals": {"a@b": "550 5.1.1 no"}}``; what is left out ends."""
        asked = json_object(request)
        refusals = asked.get("refusals", {})
        if not isinstance(refusals, dict) or asked.keys() - {"down", "refusals"}:
            raise BadRequest("Known are down, and refusals by address.")
        self._mailbox.is_down = asked.get("down") is True
        self._mailbox.refusals = {str(name): str(said) for name, said in refusals.items()}
        return json_answer({"down": self._mailbox.is_down, "refusals": self._mailbox.refusals})
