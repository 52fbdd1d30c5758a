"""What the server writes down."""

from __future__ import annotations

from gunicorn.glogging import Logger


class GatewayLog(Logger):
    """gunicorn's log without a line for each request.

    A configuration of our own switches these on (``Logger._compute_access_log_enabled``). They
    would cost each call some of its time, and write down addresses that open accounts, as mails
    have them. Figures count requests; receipts and the log of refusals say what became of them.
    """

    @property
    def access_log_enabled(self) -> bool:
        """Whether requests are written down: never."""
        return False
