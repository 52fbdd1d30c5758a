"""Whether the client of a call is still there, by the socket that its request came on."""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import TYPE_CHECKING

from gevent.monkey import get_original

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Only ever asked "now?", with a timeout of zero, so gevent has nothing to do with it.
_poll = get_original("select", "poll")
# A client that has closed its sending side counts as gone, as it does for nginx and Go: the two
# cannot be told apart until something is written. Not every system has a word for it.
_GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


class CallingClient:
    """The client of one request."""

    def __init__(
        self,
        environ: WSGIEnvironment,
        *,
        request_sent: Callable[[], None] | None = None,
        may_return: bool = False,
    ) -> None:
        """Look at nothing yet.

        Args:
            environ: The request.
            request_sent: Called once a long request has gone upstream and is kept no more.
            may_return: Whether the answer is kept for a client that asks again: then its call
                goes on without it.
        """
        self._socket = environ.get("gunicorn.socket")
        self._request_sent = request_sent
        self._may_return = may_return

    def has_left(self) -> bool:
        """Whether the client has closed its connection; what it has sent besides is left alone."""
        if self._may_return or self._socket is None:
            return False
        number = self._socket.fileno()
        if number < 0:
            return True
        poll = _poll()
        poll.register(number, _GONE)
        return bool(poll.poll(0))

    def request_sent(self) -> None:
        """Pass it on."""
        if self._request_sent is not None:
            self._request_sent()
