"""What real LiteLLM proxies answered, as received (see ``tests/data/litellm-wire``)."""

from pathlib import Path

_WIRE = Path(__file__).parents[2] / "data" / "litellm-wire"

VERSIONS = ("1.91.5", "1.102.4")
CHAT_STREAMS = (
    "chat-stream",
    "chat-stream-usage",
    "chat-claude-stream-usage",
    "chat-mock-stream-usage",
    "stream-error",
)
MESSAGES_STREAMS = (
    "messages-stream",
    "messages-stream-error",
    "messages-claude-stream",
    "messages-claude-stream-error",
)
RESPONSES_STREAMS = ("responses-stream", "responses-claude-stream", "responses-stream-error")


def recording(version: str, name: str) -> bytes:
    """Return a recorded answer whole."""
    return (_WIRE / version / f"{name}.http").read_bytes()


def body_of(version: str, name: str) -> bytes:
    """Return the body of a recorded answer: what follows its head."""
    whole = recording(version, name)
    head, _, body = whole.replace(b"\r\n\r\n", b"\n\n", 1).partition(b"\n\n")
    assert head.startswith(b"HTTP/1.1 ")
    return body


def status_of(version: str, name: str) -> int:
    """Return the status of a recorded answer."""
    return int(recording(version, name).split(b" ", 2)[1])
