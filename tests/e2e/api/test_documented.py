"""Every example of docs/api.md works as it stands there."""

from __future__ import annotations

import json
import re

from tests.e2e.api.conftest import Program
from tests.stack import REPOSITORY

EXAMPLE = re.compile(r"^```http\n(\w+) (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_documented_example_works(program: Program) -> None:
    examples = EXAMPLE.findall((REPOSITORY / "docs/api.md").read_text())
    assert len(examples) > 10
    made = ""

    for method, path, body in examples:
        answer = program.call(
            method,
            path.replace("{id}", made),
            json=json.loads(body) if body.strip() else None,
        )
        assert answer.ok, (method, path, answer.text)
        made = made or (answer.json()["id"] if method == "POST" and "id" in answer.json() else "")
