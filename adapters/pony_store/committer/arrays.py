"""Arrays as PostgreSQL reads them from text.

Of a list, the driver would quote each element: that took as long as all else that it sends.
https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
"""

from __future__ import annotations

from collections.abc import Iterable


def text_array(texts: Iterable[str]) -> str:
    """Return an array of text; the driver quotes it as a whole."""
    return "{" + ",".join([_element(text) for text in texts]) + "}"


def bytea_array(blobs: Iterable[bytes]) -> str:
    """Return an array of bytes."""
    return "{" + ",".join([f'"\\\\x{blob.hex()}"' for blob in blobs]) + "}"


def _element(text: str) -> str:
    # In quotes, so that all but these two characters stand for themselves: NULL, commas, spaces.
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
