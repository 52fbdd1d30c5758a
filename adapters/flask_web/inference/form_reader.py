"""Forms with a file: fields in memory, the file on disk once it is large.

However large a file is, receiving it and sending it on costs a few blocks of memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING

import orjson
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from adapters.flask_web.inference.body_budget import Share
from adapters.flask_web.inference.request_body import receive_body
from creditcore.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_UPLOAD_BYTES = 26 * 1024 * 1024
"""A file as large as OpenAI takes, and the fields beside it."""

MAX_UPLOADS_BYTES = 512 * 1024 * 1024
"""What the files of one process may take of its disk at a time."""

FILE = "file"
"""The name of the part that is the file."""

_MEMORY_BYTES = 256 * 1024
_MAX_FIELDS_BYTES = 256 * 1024
_MAX_PARTS = 64
_BLOCK_BYTES = 64 * 1024
_UPLOAD_TIMEOUT_S = 300.0
"""25 MB at 0.7 Mbit/s."""

_END_BYTES = 64 * 1024


class UploadedFile:
    """The file of a form.

    Attributes:
        name: What the client calls it.
        media_type: What the client says that it is.
        length: Its bytes.
    """

    def __init__(self, file: IO[bytes], *, name: str, media_type: str) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self.name = name
        self.media_type = media_type
        self.length = 0

    def write(self, part: bytes) -> None:
        """Add to its end."""
        self._file.write(part)
        self._digest.update(part)
        self.length += len(part)

    @property
    def digest(self) -> str:
        """The SHA-256 of what was written, in hex."""
        return self._digest.hexdigest()

    def parts(self) -> Iterator[bytes]:
        """Return it block by block, from its beginning each time."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK_BYTES):
            yield block

    def ends(self) -> tuple[bytes, bytes]:
        """Return its first and its last bytes, 64 KiB of each at most."""
        self._file.seek(0)
        head = self._file.read(_END_BYTES)
        self._file.seek(max(0, self.length - _END_BYTES))
        return head, self._file.read(_END_BYTES)

    def close(self) -> None:
        """Forget it. More than once is fine."""
        self._file.close()


def read_form(environ: WSGIEnvironment, reader: FormReader, share: Share) -> bytes:
    """Read a form; return its fields as JSON, each with its values, and the hash of its file.

    Args:
        environ: The request.
        reader: Has the file afterwards.
        share: Counts the bytes as they come.

    Raises:
        InvalidRequestError: It is no form with a file.
        OverloadedError: Too many files are on their way.
        RefusedError: It is too long, or it took too long.
    """
    receive_body(
        environ, reader.feed, most=MAX_UPLOAD_BYTES, share=share, timeout_s=_UPLOAD_TIMEOUT_S
    )
    fields = reader.finish()
    return orjson.dumps({**fields, FILE: reader.file.digest if reader.file else None})


class FormReader:
    """Takes a form apart as it arrives."""

    def __init__(self, content_type: str) -> None:
        """Start before the first byte.

        Args:
            content_type: The header of the request.

        Raises:
            InvalidRequestError: It announces no form.
        """
        kind, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        if kind != "multipart/form-data" or not boundary or not boundary.isascii():
            raise InvalidRequestError(
                "Send a form with the file in it: Content-Type: multipart/form-data.",
                code="invalid_form",
            )
        self._decoder = MultipartDecoder(
            boundary.encode(), max_form_memory_size=_MAX_FIELDS_BYTES, max_parts=_MAX_PARTS
        )
        self._fields: dict[str, list[str]] = {}
        self._fields_bytes = 0
        self._name = ""
        self._value: bytearray | None = None
        self.file: UploadedFile | None = None

    def feed(self, part: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidRequestError: They are no form, or its fields are too long.
        """
        self._take(part)

    def finish(self) -> dict[str, list[str]]:
        """Return the values of each field, once everything has arrived.

        Raises:
            InvalidRequestError: The form does not end.
        """
        self._take(None)
        return self._fields

    def close(self) -> None:
        """Forget the file."""
        if self.file is not None:
            self.file.close()

    def _take(self, part: bytes | None) -> None:
        try:
            self._decoder.receive_data(part)
            while not isinstance(event := self._decoder.next_event(), NeedData | Epilogue):
                match event:
                    case Field(name=name):
                        self._name, self._value = _named(name), bytearray()
                    case File():
                        self._open(event)
                    case Data():
                        self._write(event)
        except (ValueError, TypeError) as error:
            # A part without a name, a header that is no text: the decoder says it in many ways.
            raise InvalidRequestError(
                "The body is not a form as its Content-Type announces.", code="invalid_form"
            ) from error
        except RequestEntityTooLarge as error:
            raise _too_long() from error

    def _open(self, part: File) -> None:
        if part.name != FILE or self.file is not None:
            raise InvalidRequestError(
                "A form has one file, in the part named file.", param=part.name, code="invalid_form"
            )
        spool = SpooledTemporaryFile(max_size=_MEMORY_BYTES)  # noqa: SIM115 - closed by ``close``
        self.file = UploadedFile(
            spool,
            name=part.filename,
            media_type=part.headers.get("content-type", ""),
        )
        self._value = None

    def _write(self, event: Data) -> None:
        if self._value is None:
            if self.file is not None:
                self.file.write(event.data)
            return
        self._fields_bytes += len(event.data)
        if self._fields_bytes > _MAX_FIELDS_BYTES:
            raise _too_long()
        self._value += event.data
        if not event.more_data:
            self._fields.setdefault(self._name, []).append(self._value.decode())


def _named(name: str | None) -> str:
    # The decoder hands a part without a name over, in spite of its type.
    if name is None:
        raise ValueError("a field without a name")
    return name


def _too_long() -> InvalidRequestError:
    return InvalidRequestError(
        f"The fields of a form have {_MAX_FIELDS_BYTES // 1024} KB at most, and it has"
        f" {_MAX_PARTS} parts at most.",
        code="request_too_large",
    )
