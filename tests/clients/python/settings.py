"""Where the gateway is, who calls, and how a refusal looks."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

BASE_URL = os.environ["BASE_URL"]
URL = f"{BASE_URL}/v1"
API_KEY = os.environ["API_KEY"]
POOR_KEY = os.environ["POOR_KEY"]
MODEL = "gpt-4o"


@contextmanager
def refused(status: int = 402) -> Iterator[None]:
    """Expect a refusal with this status, in whatever a client wraps it."""
    try:
        yield
    except Exception as error:
        cause: BaseException | None = error
        while cause is not None and getattr(cause, "status_code", None) != status:
            cause = cause.__cause__ or cause.__context__
        if cause is None:
            raise
    else:
        raise AssertionError("it was served")
