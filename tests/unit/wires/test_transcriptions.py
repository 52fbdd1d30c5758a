"""Transcripts: what a sound may cost by its file, and what it did cost by its answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pytest

from adapters.litellm.faults import failure_within
from adapters.wires.openai.sound_length import sound_extent
from adapters.wires.openai.transcriptions import Transcriptions
from creditcore.domain.errors import InvalidRequestError
from creditcore.domain.pricing import Usage
from creditcore.domain.units import Extent, Unit
from creditcore.ports.inference import HeardWire, InferenceRequest


@dataclass
class Sound:
    data: bytes
    name: str = "said.mp3"
    media_type: str = "audio/mpeg"

    @property
    def length(self) -> int:
        return len(self.data)

    @length.setter
    def length(self, _length: int) -> None:
        raise NotImplementedError

    def parts(self) -> Iterator[bytes]:
        yield self.data

    def ends(self) -> tuple[bytes, bytes]:
        return self.data, self.data


def heard(sound: Sound | None = None) -> HeardWire:
    return Transcriptions().holding(sound or Sound(b"x" * 8_000))


def parse(wire: HeardWire | None = None, **fields: Any) -> InferenceRequest:
    listed = {name: each if isinstance(each, list) else [each] for name, each in fields.items()}
    body = orjson.dumps({"model": ["m"], "file": "digest", **listed})
    return (wire or heard()).parse(body)


def sent(request: InferenceRequest, wire: HeardWire) -> bytes:
    rest = wire.rest()
    assert rest is not None
    end = b"".join(rest.parts())
    assert rest.length == len(end)
    return wire.upstream_body(request, output_bound=1) + end


def wav(rate: int, frame: int, samples: int, form: int = 1) -> bytes:
    head = b"RIFF????WAVEfmt \x10\0\0\0" + form.to_bytes(2, "little") + b"\1\0"
    head += rate.to_bytes(4, "little") + b"????" + frame.to_bytes(2, "little") + b"\x10\0"
    return head + b"data????" + b"\0" * frame * samples


def described(form: int, channels: int, bits: int, frame: int, *more: bytes) -> bytes:
    """Return a WAV of four seconds at 6 kbit/s, whose samples are said to be laid out so."""
    said = b"".join(
        number.to_bytes(size, "little")
        for number, size in ((form, 2), (channels, 2), (8_000, 4), (0, 4), (frame, 2), (bits, 2))
    )
    said += b"".join(more)
    head = b"RIFF????WAVE" + b"fmt " + len(said).to_bytes(4, "little") + said
    return head.ljust(2_900, b"\0") if b"data" in said else (head + b"data????").ljust(2_900, b"\0")


def extension(form: int) -> bytes:
    return b"\x16\0" + b"\x10\0" + b"\0" * 4 + form.to_bytes(2, "little") + b"\0" * 14


def flac(rate: int, samples: int) -> bytes:
    return b"fLaC\0\0\0\x22" + b"\0" * 10 + (rate << 44 | samples).to_bytes(8, "big") + b"\0" * 16


def ogg(kind: bytes, samples: int) -> bytes:
    first = b"OggS" + b"\0" * 24 + kind
    return first + b"." * 50 + b"OggS\0\4" + samples.to_bytes(8, "little", signed=True) + b"\0" * 20


VORBIS = b"\1vorbis" + b"\0" * 5 + (8_000).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "extent"),
    [
        (wav(8_000, 2, 16_000), Extent(4_000, 2_003)),
        (wav(8_000, 2, 16_000, form=85), Extent(44_000, 4_006)),
        (wav(0, 2, 16_000), Extent(44_000, 4_006)),
        (b"x" * 7_500, Extent(11_000, 938)),
        (flac(44_100, 441_000_000), Extent(10_001_000, 10_000_000)),
        (flac(0, 5), Extent(2_000, 6)),
        (ogg(b"OpusHead" + b"\0" * 20, 48_000 * 60), Extent(61_000, 60_000)),
        (
            ogg(b"\1vorbis" + b"\0" * 5 + (8_000).to_bytes(4, "little"), 80_000),
            Extent(11_000, 10_000),
        ),
        (ogg(b"OpusHead" + b"\0" * 20, -1), Extent(2_000, 18)),
        (b"OggS", Extent(2_000, 1)),
        (b"RIFF", Extent(2_000, 1)),
        (b"fLaC", Extent(2_000, 1)),
    ],
)
def test_a_sound_is_as_long_as_its_file_says_or_may_hide(data: bytes, extent: Extent) -> None:
    assert sound_extent(len(data), data, data) == extent


UNKNOWN = Extent(5_000, 363)
"""What 2,900 bytes may hide, whatever their header says."""


@pytest.mark.parametrize(
    ("data", "extent"),
    [
        (described(1, 2, 16, 4), Extent(2_000, 91)),
        (described(3, 1, 32, 4), Extent(2_000, 91)),
        (described(0xFFFE, 1, 16, 2, extension(1)), Extent(2_000, 182)),
        # Ten seconds that are said to be a millisecond: their price would be held, and no more.
        (described(1, 1, 16, 65_535), UNKNOWN),
        (described(1, 1, 0, 2), UNKNOWN),
        (described(1, 0, 16, 0), UNKNOWN),
        # An MP3, and samples of four bits, in a WAV that says that it could be anything.
        (described(0xFFFE, 1, 16, 2, extension(85)), UNKNOWN),
        (described(0xFFFE, 1, 4, 2, extension(17)), UNKNOWN),
        (described(0xFFFE, 1, 16, 2), UNKNOWN),
    ],
)
def test_a_header_is_believed_where_all_of_it_agrees(data: bytes, extent: Extent) -> None:
    assert sound_extent(len(data), data, data) == extent


def test_a_header_is_believed_where_there_is_one() -> None:
    honest, other = wav(8_000, 2, 1_000), wav(192_000, 2, 0)
    twice = honest[:12] + other[12:36] + honest[12:]
    listed = honest[:36] + b"LIST\x03\0\0\0abc\0" + honest[36:]
    without_samples = honest[:36] + b"LIST\xff\xff\xff\xff" + honest[36:]

    assert sound_extent(len(listed), listed, listed) == Extent(2_000, 129)
    for lying in (twice, without_samples):
        assert sound_extent(len(lying), lying, lying).most == 4_000


def test_a_sound_is_bounded_by_its_length_and_by_its_tokens() -> None:
    request = parse(prompt="日本")

    assert replace(request, sold_by=Unit.MILLISECOND).extent == (12_000, 1_000)
    assert replace(request, sold_by=Unit.AUDIO_TOKEN).extent == (768, 10)
    assert (request.prompt_bound, request.prompt_estimate) == (6 + 64, 2)


def test_the_form_upstream_is_our_own() -> None:
    sound = Sound(b"RIFF sound", name='a"\r\nx.WAV', media_type="audio/wav\r\nx: y")
    wire = heard(sound)
    request = parse(wire, **{"timestamp_granularities[]": ["word", "segment"]}, temperature="0.5")

    form = sent(request, wire)

    boundary = wire.upstream_headers["content-type"].partition("boundary=")[2].encode()
    assert form.count(b"--" + boundary) == 7
    assert form.endswith(b"\r\n\r\nRIFF sound\r\n--" + boundary + b"--\r\n")
    assert b'filename="sound.WAV"\r\ncontent-type: application/octet-stream\r\n' in form
    assert form.count(b'name="timestamp_granularities[]"\r\n\r\n') == 2
    assert b'name="temperature"\r\n\r\n0.5\r\n' in form
    assert b'name="response_format"\r\n\r\njson\r\n' in form
    assert Transcriptions().holding(sound).upstream_headers != wire.upstream_headers


def test_a_length_that_is_charged_by_is_asked_for() -> None:
    wire = heard()
    for asked in ("json", "text", "verbose_json", "srt", "vtt"):
        request = replace(parse(wire, response_format=asked), sold_by=Unit.MILLISECOND)
        assert b'name="response_format"\r\n\r\nverbose_json\r\n' in sent(request, wire)


VAD = {"chunking_strategy[type]": "server_vad"}


def test_how_a_sound_is_cut_goes_upstream_as_it_came() -> None:
    wire = heard()
    request = parse(wire, **VAD, **{"chunking_strategy[silence_duration_ms]": "200"})

    form = sent(request, wire)

    assert b'name="chunking_strategy[type]"\r\n\r\nserver_vad\r\n' in form
    assert b'name="chunking_strategy[silence_duration_ms]"\r\n\r\n200\r\n' in form


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": ["a", "b"]}, "model"),
        ({"prompt": "a" * 16_001}, "prompt"),
        ({"response_format": "xml"}, "response_format"),
        ({"temperature": "hot"}, "temperature"),
        ({"language": ""}, "language"),
        ({"timestamp_granularities[]": ["hour"]}, "timestamp_granularities"),
        ({"stream": "true"}, "stream"),
        ({"chunking_strategy": "server_vad"}, "chunking_strategy"),
        ({"chunking_strategy[type]": "words"}, "chunking_strategy"),
        ({"chunking_strategy[threshold]": "0.5"}, "chunking_strategy"),
        (VAD | {"chunking_strategy[threshold]": "NaN"}, "chunking_strategy"),
        (VAD | {"chunking_strategy[more]": "1"}, "chunking_strategy"),
        (VAD | {"chunking_strategy[threshold]": ["1", "2"]}, "chunking_strategy"),
        (VAD | {"chunking_strategy": "auto"}, "chunking_strategy"),
        ({"chunking_strategy": "auto"} | VAD, "chunking_strategy"),
        ({"model": "a", "model[]": "b"}, "model"),
        ({"metadata[a]": "1"}, "metadata[a]"),
        ({"known_speaker_names[]": ["me"]}, "known_speaker_names"),
        ({"api_key": "sk-x"}, "api_key"),
        ({"unheard_of": "1"}, "unheard_of"),
    ],
)
def test_what_cannot_be_served_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize("wire", [Transcriptions(), heard(Sound(b""))])
def test_a_form_without_a_sound_is_refused(wire: HeardWire) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(wire)
    assert caught.value.param == "file"


TOKENS = {"type": "tokens", "input_tokens": 40, "output_tokens": 3, "total_tokens": 43}
SPLIT = {**TOKENS, "input_token_details": {"audio_tokens": 30, "text_tokens": 10}}


@pytest.mark.parametrize(
    ("unit", "answer", "usage"),
    [
        (Unit.MILLISECOND, {"duration": 8.470000267028809}, Usage(units=8_471)),
        (Unit.MILLISECOND, {"duration": "8.47"}, Usage(units=8_470)),
        (Unit.MILLISECOND, {"usage": {"type": "duration", "seconds": 9}}, Usage(units=9_000)),
        (
            Unit.MILLISECOND,
            {"duration": 8.47, "usage": {"type": "duration", "seconds": 9}},
            Usage(units=9_000),
        ),
        (Unit.MILLISECOND, {"duration": -1}, None),
        (Unit.MILLISECOND, {"duration": 1e300}, None),
        (Unit.MILLISECOND, {"duration": "NaN"}, None),
        (Unit.MILLISECOND, {"duration": True}, None),
        (Unit.MILLISECOND, {}, None),
        (Unit.AUDIO_TOKEN, {"usage": TOKENS}, Usage(completion_tokens=3, units=40)),
        (
            Unit.AUDIO_TOKEN,
            {"usage": SPLIT},
            Usage(prompt_tokens=10, completion_tokens=3, units=30),
        ),
        (Unit.AUDIO_TOKEN, {"usage": {"type": "duration", "seconds": 9}}, None),
    ],
)
def test_an_answer_is_counted_by_what_its_model_is_sold_by(
    unit: Unit, answer: dict[str, Any], usage: Usage | None
) -> None:
    wire = heard()
    request = replace(parse(wire), sold_by=unit)
    meter = wire.meter(request, receipt=lambda _: {}, explain=failure_within)

    meter.feed(orjson.dumps({"text": "hi there", **answer}))
    meter.finish()

    assert (meter.usage, meter.complete, meter.delivered_tokens) == (usage, True, 2)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("json", b'{"text":"hi","usage":{"seconds":2}}'),
        ("text", b"hi\n"),
        ("verbose_json", b'{"text":"hi","duration":1.5,"usage":{"seconds":2}}'),
    ],
)
def test_the_client_gets_the_format_that_it_asked_for(asked: str, given: bytes) -> None:
    wire = heard()
    request = replace(parse(wire, response_format=asked), sold_by=Unit.MILLISECOND)
    meter = wire.meter(request, receipt=lambda _: {}, explain=failure_within)

    meter.feed(b'{"text":"hi","duration":1.5,"usage":{"seconds":2}}')

    assert meter.finish() == given
    assert wire.media_type(request).startswith("text/plain" if asked == "text" else "application/")


SEGMENTS = [
    {"id": 0, "start": 0.0, "end": 3.3199999332427979, "text": " Habari --> yako?"},
    {"id": 1, "start": 3661.5, "end": "soon", "text": "Nzuri\n\n00:01 sana. "},
    {"id": 2, "start": 5, "end": 6, "text": "  "},
    {"text": 7},
    "nothing",
]


def subtitled(asked: str, **answer: Any) -> str:
    wire = heard()
    request = replace(parse(wire, response_format=asked), sold_by=Unit.MILLISECOND)
    meter = wire.meter(request, receipt=lambda _: {}, explain=failure_within)
    meter.feed(orjson.dumps({"text": "Habari", "duration": 3700, **answer}))
    written = meter.finish().decode()
    assert (meter.usage, wire.media_type(request)) == (
        Usage(units=3_700_000),
        "text/plain; charset=utf-8",
    )
    return written


def test_subtitles_are_made_of_segments() -> None:
    assert subtitled("srt", segments=SEGMENTS) == (
        "1\n00:00:00,000 --> 00:00:03,319\nHabari -> yako?\n\n"
        "2\n01:01:01,500 --> 01:01:40,000\nNzuri\n00:01 sana.\n\n"
    )
    assert subtitled("vtt", segments=SEGMENTS[:1]) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:03.319\nHabari -> yako?\n\n"
    )


@pytest.mark.parametrize("segments", [None, [], "some", {}])
def test_a_transcript_without_segments_is_one_subtitle(segments: object) -> None:
    assert subtitled("srt", segments=segments) == "1\n00:00:00,000 --> 01:01:40,000\nHabari\n\n"
    assert subtitled("vtt", segments=segments, text="") == "WEBVTT\n\n"


@pytest.mark.parametrize("start", [-1, 1e300, True, "0", None])
def test_a_time_that_is_none_is_the_beginning(start: object) -> None:
    segments = [{"start": start, "end": 1, "text": "Habari"}]

    assert subtitled("srt", segments=segments).startswith("1\n00:00:00,000 --> 00:00:01,000\n")


def test_a_model_that_tells_no_times_makes_no_subtitles() -> None:
    request = replace(parse(response_format="srt"), sold_by=Unit.AUDIO_TOKEN)

    with pytest.raises(InvalidRequestError, match="sold by the second") as caught:
        assert request.extent
    assert caught.value.param == "response_format"


def test_a_model_that_hears_no_speakers_does_not_tell_them_apart() -> None:
    request = replace(parse(response_format="diarized_json"), sold_by=Unit.MILLISECOND)

    with pytest.raises(InvalidRequestError, match="does not tell speakers apart") as caught:
        assert request.extent
    assert caught.value.param == "response_format"
    assert replace(request, sold_by=Unit.AUDIO_TOKEN).extent is not None


def test_what_is_no_transcript_is_a_failure() -> None:
    for answer in (b"", b'{"text": 1}', b'{"error": {"message": "no"}}'):
        meter = heard().meter(parse(), receipt=lambda _: {}, explain=failure_within)
        meter.feed(answer)

        assert meter.finish() == b""
        assert meter.failure is not None
