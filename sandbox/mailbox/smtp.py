"""The few commands of SMTP (RFC 5321) that a program which submits mail uses."""

from __future__ import annotations

import re
import socket
from typing import Any

from gevent.server import StreamServer

from sandbox.mailbox.store import Mailbox

MAX_BYTES = 1024 * 1024
_MAX_RECIPIENTS = 100
_SILENCE_S = 60.0
_PATH = re.compile(r"(?:FROM|TO):\s*<([^<>\s]*)>", re.IGNORECASE)


class SmtpServer(StreamServer):
    """Takes every mail, unless the mailbox was told otherwise."""

    def __init__(self, address: tuple[str, int], mailbox: Mailbox) -> None:
        """Listen on an address; port 0 takes a free one."""
        super().__init__(address, self._serve)
        self._mailbox = mailbox

    def _serve(self, sock: socket.socket, _address: Any) -> None:
        sock.settimeout(_SILENCE_S)
        try:
            with sock.makefile("rb") as lines:
                Conversation(sock, lines, self._mailbox).hold()
        except OSError:
            # The other side left, or fell silent.
            pass
        finally:
            sock.close()


class Conversation:
    """One connection."""

    def __init__(self, sock: socket.socket, lines: Any, mailbox: Mailbox) -> None:
        self._sock = sock
        self._lines = lines
        self._mailbox = mailbox
        self._begin()

    def hold(self) -> None:
        """Talk until the other side leaves."""
        if self._mailbox.is_down:
            self._say("421 4.3.2 the sandbox was told to be down")
            return
        self._say("220 sandbox ESMTP")
        while line := self._lines.readline(4096):
            verb, _, rest = line.decode(errors="replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                self._say("221 2.0.0 bye")
                return
            self._answer(verb.upper(), rest)

    def _answer(self, verb: str, rest: str) -> None:
        match verb:
            case "EHLO":
                self._say("250-sandbox", f"250-SIZE {MAX_BYTES}", "250-SMTPUTF8", "250 8BITMIME")
            case "HELO" | "NOOP":
                self._say("250 2.0.0 ok")
            case "RSET":
                self._begin()
                self._say("250 2.0.0 ok")
            case "MAIL" if _PATH.match(rest):
                self._begin()
                self._has_sender = True
                self._say("250 2.1.0 ok")
            case "RCPT" if self._has_sender and (path := _PATH.match(rest)):
                self._take_recipient(path.group(1))
            case "DATA" if self._recipients:
                self._take_mail()
            case "MAIL" | "RCPT" | "DATA":
                self._say("503 5.5.1 not now, or not so")
            case _:
                self._say("502 5.5.1 unknown command")

    def _take_recipient(self, address: str) -> None:
        if len(self._recipients) >= _MAX_RECIPIENTS:
            self._say("452 4.5.3 too many recipients")
        elif refusal := self._mailbox.refusals.get(address):
            self._say(refusal)
        else:
            self._recipients.append(address)
            self._say("250 2.1.5 ok")

    def _take_mail(self) -> None:
        self._say("354 end with a dot on a line of its own")
        size, kept = 0, []
        while (line := self._lines.readline(65536)) not in (b".\r\n", b".\n"):
            if not line:
                return
            size += len(line)
            if size <= MAX_BYTES:
                # A dot at the beginning was doubled on its way.
                kept.append(line[1:] if line.startswith(b".") else line)
        if size > MAX_BYTES:
            self._say("552 5.3.4 too large")
        else:
            self._mailbox.add(tuple(self._recipients), b"".join(kept))
            self._say("250 2.0.0 kept")
        self._begin()

    def _begin(self) -> None:
        self._has_sender = False
        self._recipients: list[str] = []

    def _say(self, *lines: str) -> None:
        self._sock.sendall("".join(f"{line}\r\n" for line in lines).encode())
