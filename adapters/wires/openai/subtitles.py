"""Subtitles, made of the segments of a transcript.

A transcript is charged by what its JSON says, and a file of subtitles says nothing of that: so the
JSON is asked for, and the subtitles are written here, as Whisper writes them.
https://www.w3.org/TR/webvtt1/, https://www.matroska.org/technical/subtitles.html (SRT)
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

FORMATS = ("srt", "vtt")
_MS_PER_SECOND, _MS_PER_MINUTE, _MS_PER_HOUR = 1_000, 60_000, 3_600_000
_LONGEST_S = 10**6
_ARROW = "-->"


class _Cue(NamedTuple):
    start_ms: int
    end_ms: int
    text: str


def subtitles(form: str, document: dict[str, Any], *, length_ms: int) -> bytes:
    """Return a transcript as ``srt`` or ``vtt``; without segments, as one of its whole length.

    Args:
        form: Which.
        document: The transcript as ``verbose_json``.
        length_ms: How long the sound is, for what has no end of its own.
    """
    comma = "," if form == "srt" else "."
    lines = [] if form == "srt" else ["WEBVTT", ""]
    for number, cue in enumerate(_cues(document, length_ms), start=1):
        if form == "srt":
            lines.append(str(number))
        lines += [f"{_time(cue.start_ms, comma)} {_ARROW} {_time(cue.end_ms, comma)}", cue.text, ""]
    return "\n".join([*lines, ""]).encode()


def _cues(document: dict[str, Any], length_ms: int) -> Iterator[_Cue]:
    segments = document.get("segments")
    found = segments if isinstance(segments, list) and segments else [document]
    for segment in found:
        text = segment.get("text") if isinstance(segment, dict) else None
        if not isinstance(text, str) or not (words := _words(text)):
            continue
        start = _milliseconds(segment.get("start")) or 0
        end = _milliseconds(segment.get("end"))
        yield _Cue(start, max(start, length_ms if end is None else end), words)


def _words(text: str) -> str:
    """Return a text that neither ends its cue nor looks like the times of another."""
    kept = [line.strip() for line in text.splitlines() if line.strip()]
    return "\n".join(kept).replace(_ARROW, "->")


def _milliseconds(seconds: object) -> int | None:
    if type(seconds) not in (int, float) or not 0 <= seconds < _LONGEST_S:  # type: ignore[operator]
        return None
    return int(Decimal(str(seconds)) * _MS_PER_SECOND)


def _time(milliseconds: int, comma: str) -> str:
    hours, rest = divmod(milliseconds, _MS_PER_HOUR)
    minutes, rest = divmod(rest, _MS_PER_MINUTE)
    seconds, rest = divmod(rest, _MS_PER_SECOND)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{comma}{rest:03d}"
