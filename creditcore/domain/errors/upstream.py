"""The model server."""

from __future__ import annotations

from creditcore.domain.errors.root import CreditcoreError


class UpstreamError(CreditcoreError):
    """The model server did not answer as asked.

    Attributes:
        status: The HTTP status that fits it.
        code: A machine-readable word for it that callers act on, where there is one.
    """

    status: int = 502
    code: str | None = None


class UpstreamRejectedError(UpstreamError):
    """The model server refused this very request: the caller can do something about it.

    Attributes:
        status: The HTTP status it chose, between 400 and 499.
        code: Its machine-readable word, where there is one.
        retry_after_s: How long it asks to wait, where it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        super().__init__(message)


class UpstreamUnavailableError(UpstreamError):
    """The model server is down, misconfigured or broken: nothing the caller did."""

    def __init__(self, message: str = "The model is not available right now.") -> None:
        super().__init__(message)


class SpendLogMissingError(UpstreamUnavailableError):
    """The model server keeps no log of its calls: it has no database."""

    def __init__(self) -> None:
        super().__init__("The model server keeps no log of its calls.")


class UpstreamFailedError(UpstreamUnavailableError):
    """The provider failed, and said with which status.

    Attributes:
        status: The HTTP status it named, 500 to 599.
        code: Its machine-readable word, where it is one that callers act on.
        retry_after_s: How long it asks to wait, where it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.retry_after_s = retry_after_s
        super().__init__(message)


class UpstreamKeyRefusedError(UpstreamUnavailableError):
    """The model server refused the copy of a key, or its budget, before any model ran."""


class UpstreamTimeoutError(UpstreamError):
    """The model server took longer than allowed."""

    status = 504

    def __init__(self, message: str = "The model did not answer in time.") -> None:
        super().__init__(message)
