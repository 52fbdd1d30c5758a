"""Files of the pages: compressed, under addresses that change with their content."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from adapters.flask_web.web import static_files
from tests.integration.test_access_matrix import Site

MAX_BYTES = 90 * 1024
"""What the landing page may weigh over the wire, with all that it loads."""

MOST_BYTES_OF_THE_DASHBOARD = 120 * 1024
"""The same of a page of signed-in people."""


def a_site(folder: Path, *, colour: str = "red") -> Flask:
    (folder / "css").mkdir(exist_ok=True, parents=True)
    (folder / "flag.svg").write_text(f"<svg fill='{colour}'>{' ' * 2000}</svg>")
    (folder / "css" / "base.css").write_text('i { mask: url("../flag.svg") }')
    app = Flask(__name__, static_folder=folder, static_url_path="/static")
    static_files.register(app, data_dir=folder.parent / "data")
    return app


def address(app: Flask, name: str) -> str:
    with app.test_request_context():
        return url_for("static", filename=name)


def test_a_file_is_compressed_and_kept_for_ever_without_a_cookie(tmp_path: Path) -> None:
    app = a_site(tmp_path / "files")

    asked = {"accept-encoding": "gzip, br"}

    with app.test_client().get(address(app, "flag.svg"), headers=asked) as answer:
        packed = answer.data

    assert gzip.decompress(packed) == (tmp_path / "files" / "flag.svg").read_bytes()
    assert answer.headers["cache-control"] == "max-age=315360000, public, immutable"
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "set-cookie" not in answer.headers


def test_a_style_sheet_leads_to_files_by_their_content(tmp_path: Path) -> None:
    before, after = a_site(tmp_path / "files"), a_site(tmp_path / "files", colour="blue")

    with after.test_client().get(address(after, "css/base.css")) as answer:
        sheet = answer.text

    [named] = re.findall(r'url\("\.\./([^"]+)"', sheet)
    assert f"/static/{named}" == address(after, "flag.svg")
    for name in ("flag.svg", "css/base.css"):
        assert address(before, name) != address(after, name)


def test_an_address_of_another_version_gets_what_there_is_and_is_not_kept(tmp_path: Path) -> None:
    before, after = a_site(tmp_path / "files"), a_site(tmp_path / "files", colour="blue")

    with after.test_client().get(address(before, "flag.svg")) as answer:
        assert "blue" in answer.text
        assert answer.headers["cache-control"] == "no-cache"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def visitor(site: Site) -> FlaskClient:
    return site.app.test_client()


def test_the_landing_page_is_light(visitor: FlaskClient) -> None:
    weighed = weigh(visitor, "/")

    assert len(weighed) > 7
    assert sum(weighed.values()) < MAX_BYTES, weighed


def weigh(visitor: FlaskClient, page: str) -> dict[str, int]:
    """Return how many bytes a page is over the wire, with each file that it loads."""
    loaded = {page}
    weighed: dict[str, int] = {}
    while loaded - weighed.keys():
        path = min(loaded - weighed.keys())
        with visitor.get(path, headers={"accept-encoding": "gzip"}) as answer:
            assert answer.status_code == 200
            weighed[path] = len(answer.data)
            is_packed = answer.headers.get("content-encoding") == "gzip"
            plain = gzip.decompress(answer.data) if is_packed else answer.data
        text = plain.decode(errors="replace")
        if path == page:
            loaded |= set(re.findall(r'(?:href|src)="(/static/[^"]+)"', text))
        elif path.endswith(".css"):
            loaded |= {f"/static/{name}" for name in re.findall(r'url\("\.\./([^"]+)"', text)}

    return weighed


@pytest.mark.parametrize("path", ["", "/analytics", "/calls", "/keys", "/billing", "/playground"])
def test_a_page_of_the_dashboard_is_light(site: Site, path: str) -> None:
    weighed = weigh(site.visitor().client, f"/dashboard{path}")

    assert len(weighed) > 7
    assert sum(weighed.values()) < MOST_BYTES_OF_THE_DASHBOARD, weighed


def test_no_page_names_a_file_without_its_content(visitor: FlaskClient) -> None:
    page = visitor.get("/sign-in").text

    named = re.findall(r'"(/static/[^"]+)"', page)
    assert named
    assert all(re.search(r"\.[0-9a-f]{16}\.\w+$", name) for name in named)
