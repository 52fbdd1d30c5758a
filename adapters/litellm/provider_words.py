"""A provider's own words, out of the message that LiteLLM puts around them.

Around them are names of Python exceptions, model groups and addresses, once even the provider's
key, and advice for who runs the proxy. Often they are within an error object written as text.
"""

from __future__ import annotations

import re

MESSAGE_NAMES = (
    *("message", "Message", "msg", "detail", "error_msg", "error_message", "status_msg"),
    *("errors", "error"),
)
"""What errors call their message, in the order in which they are looked for."""

_ENDED_EARLY = "The answer broke off."

# Advice to who runs the proxy comes last, after the sentence that says what is wrong.
_TAIL = re.compile(
    r"\.?\s*(?:Received Model Group\s*=|Available Model Group Fallbacks\s*=|LiteLLM Retried"
    r"|LiteLLM Max Retries|LiteLLM: model group|No fallback model group"
    r"|Traceback \(most recent|\n\s*Model:"
    r"|\s(?:api_base|deployment|model_id)\s*=|,? for model\s*=|Handle with `?litellm\."
    r"|To drop these, set|set [`'\"]?litellm[._]).*",
    re.DOTALL | re.IGNORECASE,
)
_EXCEPTION_NAME = r"[A-Za-z_.]*(?:Error|Exception|Err|Timeout(?: Error)?)\b"
_EXCEPTION_NAMES = re.compile(
    rf"\A(?:\s*(?:{_EXCEPTION_NAME}(?:\s+{_EXCEPTION_NAME})?\s*(?::|-)"
    r"|Error code: [0-9]{3} -)\s*)+"
)
_SPACES = re.compile(r"\s+")
_OBJECT = re.compile(r"\A\s*(b['\"])?\[?\s*\{")
_QUOTED_MESSAGE = re.compile(
    rf"""["'](?:{"|".join(MESSAGE_NAMES)})["']\s*:\s*(?:"((?:[^"\\]|\\.)+)"|'((?:[^'\\]|\\.)+)')""",
    re.DOTALL,
)
"""A message within an error object, which is written as JSON or as Python does, perhaps cut off."""

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_BROKEN_OFF = re.compile(
    r"response payload is not completed|TransferEncodingError|incomplete chunked read"
    r"|server disconnected|peer closed connection",
    re.IGNORECASE,
)
"""What the proxy's own HTTP client says where the provider's answer ends early."""

_SECRETS = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://\S+"  # any URL
    r"|\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?::[0-9]+)?\b"  # an address
    r"|\b(?:localhost|(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})(?::[0-9]+|/\S*)"  # host:port, host/path
    r"|\b(?:[A-Za-z0-9-]+\.)+(?:com|net|org|io|ai|dev|cloud|local|internal|svc)\b"  # a host
    r"|\bBearer\s+\S+"
    r"|\b(?:sk|pk|rk|gsk|xai|org|proj|key)[-_][A-Za-z0-9*._-]{3,}"  # keys, masked ones too
    r"|\bAIza[A-Za-z0-9_-]+"
    r"|\b(?=[A-Za-z0-9_-]*[0-9])(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{24,}",  # looks random
    re.IGNORECASE,
)


def provider_words(message: str) -> str:
    """Return what a client may hear of a message, without names, addresses and keys.

    Args:
        message: Of no more than a few thousand letters: the patterns go back over what they read.
    """
    # They try again behind each space, so there is only one at a time.
    words = _SPACES.sub(_one_space, message)
    if _BROKEN_OFF.search(words):
        return _ENDED_EARLY
    words = _EXCEPTION_NAMES.sub("", _TAIL.sub("", words))
    words = _TAIL.sub("", _unquoted(words))
    return " ".join(_SECRETS.sub("[removed]", words).split())


def _one_space(spaces: re.Match[str]) -> str:
    return "\n" if "\n" in spaces[0] else " "


def _unquoted(words: str) -> str:
    """Return the provider's message out of an error object that was written as text."""
    found = _OBJECT.match(words)
    if found is None:
        return words
    if found[1]:  # bytes, as Python shows them
        words = _ESCAPE.sub(_meant, words)
    quoted = _QUOTED_MESSAGE.search(words)
    return _ESCAPE.sub(_meant, quoted[1] or quoted[2]) if quoted else words


def _meant(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    if code:
        return chr(int(code, 16)).encode(errors="replace").decode()
    return " " if letter in "nrt" else letter
