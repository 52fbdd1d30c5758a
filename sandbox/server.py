"""The process: command line, listening socket, clean exit.

Everything below this module uses the standard library's ``threading``, ``select`` and ``time``,
which ``sandbox.__main__`` has replaced by gevent's: a thread here is a greenlet.
"""

from __future__ import annotations

import argparse
import signal
import socket
from collections.abc import Sequence
from typing import Any

import gevent
from gevent.pywsgi import WSGIHandler, WSGIServer

from sandbox.app import Options, Sandbox
from sandbox.connection import SOCKET_KEY
from sandbox.mailbox import Mailbox, SmtpServer

# Benchmarks open hundreds of connections at once; the default of 256 would refuse some.
BACKLOG = 2048


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; print one line when connections are accepted."""
    parsed = _parser().parse_args(arguments)
    mailbox = Mailbox()
    smtp = SmtpServer((parsed.host, parsed.smtp_port), mailbox)
    smtp.start()
    options = Options(
        webhook_url=parsed.webhook_url,
        paystack_secret=parsed.paystack_secret,
        litellm_key=parsed.litellm_key,
        site_url=parsed.site_url,
        smtp=parsed.smtp or (parsed.host, smtp.server_port or 0),
    )
    # gevent calls the handler class with a connection, so a function that makes one will do.
    handler_class: Any = _handler_with_socket
    server = WSGIServer(
        (parsed.host, parsed.port),
        Sandbox(options, mailbox),
        log=None,
        backlog=BACKLOG,
        handler_class=handler_class,
    )
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        # Streams may hang on purpose, so waiting for them to finish would never end.
        gevent.signal_handler(signal_number, server.stop, timeout=0)
    server.start()
    http, mail = (f"{parsed.host}:{each.server_port}" for each in (server, smtp))
    print(f"sandbox ready http://{http} smtp://{mail}", flush=True)  # noqa: T201 - the promised line
    server.serve_forever(stop_timeout=0)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="Wire-compatible stand-ins of Paystack, LiteLLM and Supabase Auth on one port.",
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8001,
        help="port to listen on, 0 picks a free one (default 8001)",
    )
    parser.add_argument(
        "--smtp-port",
        type=int,
        default=0,
        help="port that takes mail, shown at /mailbox (default: a free one)",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)"
    )
    parser.add_argument(
        "--webhook-url", default=None, help="where Paystack events are sent (default: nowhere)"
    )
    parser.add_argument(
        "--paystack-secret",
        default="sk_test_sandbox",
        help="the secret key, which also signs events",
    )
    parser.add_argument("--litellm-key", default="sk-sandbox-master", help="LiteLLM's master key")
    parser.add_argument(
        "--site-url",
        default="http://127.0.0.1:8000",
        help="Supabase's Site URL, where links of mails lead",
    )
    parser.add_argument(
        "--smtp",
        type=_host_and_port,
        default=None,
        metavar="HOST:PORT",
        help="where Supabase hands mails over (default: nowhere, they can be read all the same)",
    )
    return parser


def _host_and_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def _handler_with_socket(sock: socket.socket, address: Any, server: Any) -> Any:
    """A request handler that also shows the application its socket.

    WSGI hides the connection, but noticing that a caller left during silence takes a look at it.
    """
    # Small events leave at once, as real servers send them; Nagle's algorithm would hold them back.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    handler: Any = WSGIHandler(sock, address, server)
    plain_environ = handler.get_environ

    def environ_with_socket() -> dict[str, Any]:
        environ: dict[str, Any] = plain_environ()
        environ[SOCKET_KEY] = sock
        return environ

    handler.get_environ = environ_with_socket
    return handler
