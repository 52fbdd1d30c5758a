"""The files of the pages: compressed, named by their content, kept by browsers for ever.

``url_for`` puts a hash of a file's content into its address, so that a changed file has a
new one. WhiteNoise serves these addresses in front of Flask, without a cookie. The plain
addresses go on to work, for pages that have linked to them, and are looked at anew each time.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_PREFIX = "/static/"
_HASH_LENGTH = 16
_HASHED = re.compile(rf"\.[0-9a-f]{{{_HASH_LENGTH}}}(?=\.\w+$)")
_REFERENCE = re.compile(r"url\(\"(\.\./[^\")]+)\"\)")
# Of every copy on every host: WhiteNoise makes a file's ETag of its time.
_EPOCH_S = 1_577_836_800


class StaticFiles:
    """Serves files under addresses that change with their content; hands the rest on.

    Attributes:
        names: The hashed name of each file, by its own.
    """

    def __init__(self, folder: Path, *, copies: Path, site: WSGIApplication) -> None:
        """Read the files.

        Args:
            folder: Where they are.
            copies: Where the compressed ones are kept, shared by all processes of a host.
            site: Answers everything else.
        """
        self._copies = copies
        self._site = site
        self._contents = _contents(folder)
        self.names = {name: hashed for name, (hashed, _) in self._contents.items()}

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        path = environ.get("PATH_INFO", "")
        if not path.startswith(_PREFIX):
            return self._site(environ, start_response)
        if path not in self._files.files:
            # A page of another version, while hosts are replaced: what there is now will do.
            environ["PATH_INFO"] = _HASHED.sub("", path)
            return self._site(environ, start_response)
        served: Iterable[bytes] = self._files(environ, start_response)
        return served

    @cached_property
    def _files(self) -> Any:
        """Compress the files when the first is asked for; commands never ask."""
        return WhiteNoise(
            self._site,
            str(self._compressed()),
            _PREFIX,
            allow_all_origins=False,
            immutable_file_test=lambda _path, _url: True,
            add_headers_function=_add_headers,
        )

    def _compressed(self) -> Path:
        """Return the folder of this very set of files, made by the first process that needs it."""
        names = "".join(sorted(self.names.values()))
        made = self._copies / hashlib.sha256(names.encode()).hexdigest()[:_HASH_LENGTH]
        if made.exists():
            return made
        self._copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=self._copies))
        compressor = Compressor(use_brotli=False, quiet=True)
        for hashed, content in self._contents.values():
            copy = making / hashed
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(content)
            os.utime(copy, (_EPOCH_S, _EPOCH_S))
            if compressor.should_compress(copy.name):
                compressor.compress(str(copy))
        try:
            making.rename(made)
        except OSError:
            # Another process was quicker.
            shutil.rmtree(making)
        return made


def register(app: Flask, *, data_dir: Path) -> None:
    """Serve the application's files, and lead its pages to their hashed addresses."""
    folder = Path(app.static_folder or "")
    files = StaticFiles(folder, copies=data_dir / "static", site=app.wsgi_app)
    app.wsgi_app = files  # type: ignore[method-assign]

    @app.url_defaults
    def _name_by_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            values["filename"] = files.names.get(values["filename"], values["filename"])


def _contents(folder: Path) -> Mapping[str, tuple[str, bytes]]:
    """Return hashed name and content of every file, by its name.

    Style sheets name other files: those are hashed first, and their new names written in.
    """
    found: dict[str, tuple[str, bytes]] = {}
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(paths, key=lambda path: path.suffix == ".css"):
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        if path.suffix == ".css":
            content = _with_hashed_names(content.decode(), name, found).encode()
        digest = hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]
        found[name] = (
            path.relative_to(folder).with_suffix(f".{digest}{path.suffix}").as_posix(),
            content,
        )
    return found


def _with_hashed_names(sheet: str, name: str, found: Mapping[str, tuple[str, bytes]]) -> str:
    def hashed(match: re.Match[str]) -> str:
        folder = posixpath.dirname(name)
        target = posixpath.normpath(posixpath.join(folder, match[1]))
        return f'url("{posixpath.relpath(found[target][0], folder)}")'

    return _REFERENCE.sub(hashed, sheet)


def _add_headers(headers: Any, _path: str, _url: str) -> None:
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
