"""All stand-ins behind one port, told apart by the first part of the path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from werkzeug.wrappers import Request, Response

from sandbox.litellm.api import LiteLLM
from sandbox.litellm.control import LiteLLMControl
from sandbox.mailbox import Mailbox, MailboxControl, MailboxPage
from sandbox.paystack.api import Paystack
from sandbox.paystack.control import PaystackControl
from sandbox.routing import Router, control_error, json_answer
from sandbox.supabase.api import Supabase
from sandbox.supabase.control import SupabaseControl


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line decides."""

    webhook_url: str | None
    paystack_secret: str
    litellm_key: str
    site_url: str = "http://127.0.0.1:8000"
    smtp: tuple[str, int] | None = None


class Sandbox:
    """The WSGI application.

    ``/paystack``, ``/litellm`` and ``/supabase`` are the services; ``/mailbox`` shows mails;
    ``/control/...`` is for tests and demos, and needs no key.
    """

    def __init__(self, options: Options, mailbox: Mailbox) -> None:
        """Build every stand-in, empty; the mailbox is filled by the mail server."""
        self._mailbox = mailbox
        self._paystack = Paystack(
            secret_key=options.paystack_secret, webhook_url=options.webhook_url
        )
        self._litellm = LiteLLM(master_key=options.litellm_key)
        self._supabase = Supabase(smtp=options.smtp, site_url=options.site_url)
        self._mounts: dict[str, WSGIApplication] = {
            "/litellm": self._litellm,
            "/mailbox": MailboxPage(mailbox),
            "/paystack": self._paystack,
            "/control/litellm": LiteLLMControl(self._litellm),
            "/control/mailbox": MailboxControl(mailbox),
            "/control/paystack": PaystackControl(self._paystack),
            "/control/supabase": SupabaseControl(self._supabase),
            "/supabase": self._supabase,
        }
        self._root = Router(
            [("GET", "/healthz", self._health), ("POST", "/control/reset", self._reset)],
            error=control_error,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand the request to the stand-in that owns its prefix."""
        path = environ["PATH_INFO"]
        for prefix, application in self._mounts.items():
            if path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in {"", "/"}:
                environ["SCRIPT_NAME"] = prefix
                environ["PATH_INFO"] = path[len(prefix) :] or "/"
                return application(environ, start_response)
        return self._root(environ, start_response)

    def _health(self, _request: Request) -> Response:
        return json_answer({"status": "ok"})

    def _reset(self, _request: Request) -> Response:
        """Forget everything that happened and every switch; streams still open run on."""
        self._paystack.reset()
        self._litellm.reset()
        self._supabase.reset()
        self._mailbox.reset()
        return json_answer({"reset": True})
