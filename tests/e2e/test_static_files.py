"""Files of the pages, in parts too."""

from __future__ import annotations

import requests

from tests.stack import PATIENCE_S, Stack

FILE = "/static/css/tokens.css"


def get(stack: Stack, **headers: str) -> requests.Response:
    return requests.get(f"{stack.base_url}{FILE}", headers=headers, timeout=PATIENCE_S)


def test_a_part_of_a_file_is_served(sqlite_stack: Stack) -> None:
    whole = get(sqlite_stack)

    part = get(sqlite_stack, range="bytes=10-19")

    assert part.status_code == 206
    assert part.content == whole.content[10:20]
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"


def test_a_part_behind_the_end_of_a_file_is_refused_with_its_length(sqlite_stack: Stack) -> None:
    length = len(get(sqlite_stack).content)

    page = get(sqlite_stack, range=f"bytes={length}-", accept="text/html")
    machine = get(sqlite_stack, range=f"bytes={length}-", accept="application/json")

    for refused in (page, machine):
        assert refused.status_code == 416
        assert refused.headers["content-range"] == f"bytes */{length}"
        assert "The file has no such part." in refused.text
    assert "It ends before that" in page.text
    assert machine.json()["error"]["code"] == "requested_range_not_satisfiable"
