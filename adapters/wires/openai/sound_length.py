"""How long a sound is, as far as its file says so.

WAV and FLAC say it at their beginning, Ogg at its end (RFC 9639; RFC 3533, RFC 7845; the RIFF
format of Microsoft). For everything else the lowest usual bitrate is a bound.
"""

from __future__ import annotations

from creditcore.domain.money import div_ceil
from creditcore.domain.units import Extent

_MS = 1_000
_LEAST_BYTES_PER_SECOND = 750
"""Opus at 6 kbit/s, its lowest."""

_USUAL_BYTES_PER_SECOND = 8_000
"""MP3 at 64 kbit/s."""

_MOST_MS = 10**9
_PCM_FORMATS = frozenset({1, 3})
_EXTENSIBLE = 0xFFFE
_PCM_BITS = frozenset({8, 16, 24, 32, 64})
_FMT_BEGINS = 12
_OPUS_RATE = 48_000
_OGG_HEADER_BYTES = 27


def sound_extent(length: int, head: bytes, tail: bytes) -> Extent:
    """Return how many milliseconds a sound may have, and about how many it has.

    Args:
        length: Bytes of its file.
        head: The first of them.
        tail: The last of them.
    """
    told = _wav(length, head)
    if told is not None:
        # The header says how samples are laid out, and that is all that there is.
        return Extent(_billed(told), told)
    bound = div_ceil(length * _MS, _LEAST_BYTES_PER_SECOND)
    usual = div_ceil(length * _MS, _USUAL_BYTES_PER_SECOND)
    # Silence takes hardly any bytes in these formats.
    told = _flac(head) or _ogg(head, tail)
    if told is None:
        return Extent(_billed(bound), usual)
    told = min(told, _MOST_MS)
    return Extent(_billed(max(bound, told)), told)


def _billed(milliseconds: int) -> int:
    """Return what may be billed for it: providers count whole seconds, begun ones too.

    One more is for what a decoder adds at the ends.
    """
    return (div_ceil(milliseconds, _MS) + 1) * _MS


def _wav(length: int, head: bytes) -> int | None:
    """Its samples have a size, of which decoders believe one field or the other: both count."""
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE" or not _is_described_once(head):
        return None
    form, channels, rate = _little(head[20:22]), _little(head[22:24]), _little(head[24:28])
    frame_bytes, bits = _little(head[32:34]), _little(head[34:36])
    if form == _EXTENSIBLE:
        form = _little(head[44:46])
    if form not in _PCM_FORMATS or bits not in _PCM_BITS or not rate or not channels:
        return None
    if frame_bytes * 8 != channels * bits:
        return None
    return min(div_ceil(length * _MS, rate * frame_bytes), _MOST_MS)


def _is_described_once(head: bytes) -> bool:
    """Whether a WAV has one ``fmt`` before its samples: of two, decoders take either."""
    place, name = _FMT_BEGINS, head[_FMT_BEGINS : _FMT_BEGINS + 4]
    if name != b"fmt ":
        return False
    while name != b"data":
        size = _little(head[place + 4 : place + 8])
        place += 8 + size + size % 2
        name = head[place : place + 4]
        if name in {b"fmt ", b""}:
            return False
    return True


def _flac(head: bytes) -> int | None:
    if head[:4] != b"fLaC":
        return None
    # Behind the block's header: 10 bytes of sizes, then 20 bits of rate and 36 of samples.
    packed = int.from_bytes(head[18:26], "big")
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    return div_ceil(samples * _MS, rate) if rate else None


def _ogg(head: bytes, tail: bytes) -> int | None:
    """The last page says how many samples there were up to its end."""
    if head[:4] != b"OggS":
        return None
    if head[28:36] == b"OpusHead":
        rate = _OPUS_RATE
    elif head[28:35] == b"\x01vorbis":
        rate = _little(head[40:44])
    else:
        return None
    last = tail.rfind(b"OggS")
    page = tail[last : last + _OGG_HEADER_BYTES]
    samples = int.from_bytes(page[6:14], "little", signed=True)
    return div_ceil(samples * _MS, rate) if last >= 0 and rate and samples >= 0 else None


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
