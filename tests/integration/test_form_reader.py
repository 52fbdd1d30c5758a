"""A form is taken apart as it arrives, and its file costs no memory to speak of."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from adapters.flask_web.inference.body_budget import BodyBudget
from adapters.flask_web.inference.form_reader import MAX_UPLOAD_BYTES, FormReader, read_form
from adapters.flask_web.web.errors import RefusedError
from creditcore.domain.errors import InvalidRequestError, OverloadedError

KIND = "multipart/form-data; boundary=b"
FIELD = b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
FILE = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
END = b"\r\n--b--\r\n"
MEGABYTE = 1024 * 1024


class Arriving:
    """A body that is made while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._left = b""

    def read(self, size: int) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        taken, self._left = self._left[:size], self._left[size:]
        return taken


def a_form(megabytes: int, *, ends: bool = True) -> Iterator[bytes]:
    yield FIELD + FILE
    for _ in range(megabytes * 16):
        yield b"x" * 65_536
    if ends:
        yield END


def test_a_large_file_costs_a_few_blocks_of_memory() -> None:
    reader = FormReader(KIND)
    with BodyBudget(100 * MEGABYTE).share("wallet-1") as share:
        tracemalloc.start()
        body = read_form({"wsgi.input": Arriving(a_form(20))}, reader, share)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert reader.file is not None
    assert body.startswith(b'{"model":["whisper-1"],"file":"')
    assert (reader.file.length, sum(map(len, reader.file.parts()))) == (20 * MEGABYTE,) * 2
    assert most < 2 * MEGABYTE
    reader.close()


def test_a_form_that_never_ends_is_cut_off() -> None:
    reader, endless = FormReader(KIND), Arriving(a_form(10_000, ends=False))
    with (
        BodyBudget(100 * MEGABYTE).share("wallet-1") as share,
        pytest.raises(RefusedError) as caught,
    ):
        read_form({"wsgi.input": endless}, reader, share)
    reader.close()

    assert caught.value.answer.status == 413
    assert share.held <= MAX_UPLOAD_BYTES + MEGABYTE


def test_files_share_the_disk() -> None:
    reader = FormReader(KIND)
    with BodyBudget(3 * MEGABYTE).share("wallet-1") as share, pytest.raises(OverloadedError):
        read_form({"wsgi.input": Arriving(a_form(20))}, reader, share)
    reader.close()


@pytest.mark.parametrize("kind", ["", "application/json", "multipart/form-data", "multipart/mixed"])
def test_what_is_announced_as_no_form_is_none(kind: str) -> None:
    with pytest.raises(InvalidRequestError, match="multipart/form-data"):
        FormReader(kind)


@pytest.mark.parametrize(
    "form",
    [
        b"",
        FIELD,
        FIELD + FILE + b"x",
        FIELD + FILE + b"x\r\n" + FILE + b"y" + END,
        b"--b\r\ncontent-type: text/plain\r\n\r\nx" + END,
        b"--b\r\ncontent-disposition: form-data\r\n\r\nx" + END,
        b'--b\r\ncontent-disposition: form-data; name="a"\r\n\r\n\xff' + END,
        b'--b\r\ncontent-disposition: form-data; name="\xff"\r\n\r\nx' + END,
        FIELD * 65 + END,
        b"--b\r\n" + b"x" * 300_000,
    ],
)
def test_a_broken_form_is_refused_in_words(form: bytes) -> None:
    reader = FormReader(KIND)

    with pytest.raises(InvalidRequestError):
        reader.feed(form)
        reader.finish()
    reader.close()
