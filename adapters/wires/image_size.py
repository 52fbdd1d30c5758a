"""How large an image is, read from the head of its file.

Only heads are read, never pixels: a few dozen bytes of PNG, GIF and WebP, the markers of JPEG. A
decoder draws what the head says, so a head that lies makes another image, not a dearer one.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from typing import NamedTuple

_MAX_HEAD_BYTES = 256 * 1024
"""JPEG may carry a preview and colour profiles before its size."""

_MAX_SIDE = 1 << 16
_GIF_EXTENSION, _GIF_FRAME = 0x21, 0x2C
_SPACE = re.compile(r"[ \t\r\n]+")


class ImageSize(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int


def size_of_base64(data: str) -> ImageSize | None:
    """Return the size of an image in base64; None where its head cannot be read."""
    # Four letters are three bytes.
    head = unwrapped(data[: _MAX_HEAD_BYTES * 4 // 3])
    head = head[: len(head) // 4 * 4]
    try:
        found = _read(base64.b64decode(head, validate=True))
    except (binascii.Error, ValueError, struct.error, IndexError):
        return None
    if found is None or not (0 < found.width <= _MAX_SIDE and 0 < found.height <= _MAX_SIDE):
        return None
    return found


def unwrapped(letters: str) -> str:
    """Return base64 without line breaks and spaces: ``base64`` on a shell wraps its lines.

    Who decodes it leaves them out, or refuses it.
    """
    return _SPACE.sub("", letters)


def _read(head: bytes) -> ImageSize | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and head[12:16] == b"IHDR":
        return ImageSize(*struct.unpack(">II", head[16:24]))
    if head.startswith((b"GIF87a", b"GIF89a")):
        return _read_gif(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _read_webp(head)
    if head.startswith(b"\xff\xd8"):
        return _read_jpeg(head)
    if head.startswith(b"BM"):
        # Below zero where its lines come from the top.
        width, height = struct.unpack("<ii", head[18:26])
        return ImageSize(abs(width), abs(height))
    return None


def _read_gif(head: bytes) -> ImageSize | None:
    screen = ImageSize(*struct.unpack("<HH", head[6:10]))
    colours = 3 << ((head[10] & 7) + 1) if head[10] & 0x80 else 0
    at = 13 + colours
    while head[at] == _GIF_EXTENSION:
        at += 2
        while head[at]:
            at += head[at] + 1
        at += 1
    if head[at] != _GIF_FRAME:
        return None
    # Decoders widen the screen for a frame that does not fit on it.
    left, top, width, height = struct.unpack("<HHHH", head[at + 1 : at + 9])
    return ImageSize(max(screen.width, left + width), max(screen.height, top + height))


def _read_webp(head: bytes) -> ImageSize | None:
    kind = head[12:16]
    if kind == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        return ImageSize(width, int.from_bytes(head[27:30], "little") + 1)
    if kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return ImageSize((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", head[26:30])
        return ImageSize(width & 0x3FFF, height & 0x3FFF)
    return None


# Markers of JPEG that begin a frame: all of C0 to CF but three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN = 0xDA


def _read_jpeg(head: bytes) -> ImageSize | None:
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _FRAMES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return ImageSize(width, height)
        if marker == _START_OF_SCAN:
            return None
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
