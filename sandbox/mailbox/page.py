"""The mailbox as a page for people, and as JSON for tests. It needs no JavaScript."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files
from string import Template
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from sandbox.mailbox.store import Mailbox, StoredMail
from sandbox.routing import Router, control_error, json_answer

PAGE = Template(files("sandbox.mailbox").joinpath("page.html").read_text(encoding="utf-8"))
ROW = Template("""\
<li><a href="$base/$number"><span class="subject">$subject</span>
<span class="quiet">to $to &middot; $date</span></a></li>
""")
EMPTY = '<p class="empty">No mail yet. Mails that the gateway sends are shown here.</p>'
MAIL = Template("""\
<p><a href="$base">All mails</a></p>
<h1>$subject</h1>
<dl><div><dt>From</dt><dd>$sender</dd></div><div><dt>To</dt><dd>$to</dd></div>
<div><dt>Date</dt><dd>$date</dd></div></dl>
<h2>As a page</h2>
<iframe title="The mail as a page" sandbox="allow-popups" srcdoc="$html"></iframe>
<h2>As text</h2>
<pre>$text</pre>
""")


class MailboxPage:
    """Under ``/mailbox``: the list, each mail, and ``mails.json``."""

    def __init__(self, mailbox: Mailbox) -> None:
        """Show this mailbox."""
        self._mailbox = mailbox
        self._router = Router(
            [
                ("GET", "/", self._list),
                ("GET", "/<int:number>", self._show),
                ("GET", "/mails.json", self._json),
            ],
            error=control_error,
        )

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        return self._router(environ, start_response)

    def _list(self, request: Request) -> Response:
        rows = [
            ROW.substitute(_texts(mail), base=request.script_root)
            for mail in self._mailbox.to(request.args.get("to", ""))
        ]
        content = "<h1>Mailbox</h1>" + (f"<ul>{''.join(rows)}</ul>" if rows else EMPTY)
        return _page("Mailbox", content)

    def _show(self, request: Request, number: int) -> Response:
        mail = self._mailbox.find(number)
        if mail is None:
            raise NotFound("There is no such mail, or it was forgotten.")
        texts = _texts(mail)
        content = MAIL.substitute(
            texts,
            base=request.script_root,
            html=escape(mail.body("html")),
            text=escape(mail.body("plain")),
        )
        return _page(texts["subject"], content)

    def _json(self, request: Request) -> Response:
        """Mails, newest first; ``to`` asks for those to one address."""
        return json_answer(
            [
                {
                    "number": mail.number,
                    "to": list(mail.recipients),
                    "from": mail.header("from"),
                    "subject": mail.header("subject"),
                    "message_id": mail.header("message-id"),
                    "headers": {name: str(value) for name, value in mail.message.items()},
                    "text": mail.body("plain"),
                    "html": mail.body("html"),
                }
                for mail in self._mailbox.to(request.args.get("to", ""))
            ]
        )


def _texts(mail: StoredMail) -> dict[str, str]:
    return {
        "number": str(mail.number),
        "subject": escape(mail.header("subject") or "(no subject)"),
        "sender": escape(mail.header("from")),
        "to": escape(", ".join(mail.recipients)),
        "date": escape(mail.header("date")),
    }


def _page(title: str, content: str) -> Response:
    page = PAGE.substitute(title=title, content=content)
    return Response(page, content_type="text/html; charset=utf-8")
