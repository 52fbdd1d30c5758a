"""JSON that is not quite JSON, as clients read it all the same.

Python writes ``NaN``, JavaScript cuts a letter of two halves in two, and some servers put a mark
before an answer or cut their bytes inside a letter. What is read so is looked at only: it
leaves as it came.
"""

from __future__ import annotations

import json
import math
from typing import Any

import orjson

_CUT = "replace"


def read_unusual(data: bytes) -> Any:
    """Return the value that is meant: null in place of no number, a mark in place of half a letter.

    Raises:
        ValueError: It cannot be read in this way either.
    """
    try:
        value = json.loads(
            data.decode("utf-8-sig", _CUT), parse_constant=_finite, parse_float=_finite
        )
        text = json.dumps(value, ensure_ascii=False)
        return orjson.loads(text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", _CUT))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None
