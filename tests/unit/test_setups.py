"""A new key, ready for each client: as docs/clients.md says, and by links of programs."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.flask_web.keys.setups import app_links, setups
from tests.stack import REPOSITORY

BASE_URL, KEY = "http://localhost:8000", "sk-cc-..."
CLIENTS = (REPOSITORY / "docs/clients.md").read_text()


@pytest.mark.parametrize("name", ["Claude Code", "Codex CLI"])
def test_a_client_is_set_up_as_its_documentation_says(name: str) -> None:
    section = CLIENTS.split(f"## {name}\n", 1)[1].split("\n## ", 1)[0]
    [block] = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)
    model = re.search(r"gpt-4o|claude-sonnet-4-5", block)
    assert model

    found = {each.name: each.text for each in setups(base_url=BASE_URL, key=KEY, model=model[0])}

    assert set(block.splitlines()) <= set(found[name].splitlines())


def test_every_documented_client_is_offered() -> None:
    names = " ".join(each.name for each in setups(base_url=BASE_URL, key=KEY, model="m"))

    for name in ("Claude Code", "Codex CLI", "openai", "anthropic", "Vercel AI SDK", "LangChain"):
        assert name in CLIENTS
        assert name in names


def test_a_key_is_handed_to_cherry_studio_whatever_the_site_is_called() -> None:
    link = app_links(base_url="https://ai.example", key="sk-cc-k", name="Jua Ö?>~", model="m")[0]
    [data] = parse_qs(urlsplit(link.href).query)["data"]

    assert json.loads(base64.b64decode(data)) == {
        "id": "jua ö?>~",
        "name": "Jua Ö?>~",
        "type": "openai",
        "baseUrl": "https://ai.example",
        "apiKey": "sk-cc-k",
    }


def test_each_tool_that_cc_switch_sets_up_gets_its_own_address() -> None:
    links = app_links(base_url="https://ai.example", key="sk-cc-k", name="Jua", model="m")[1:]
    asked = [parse_qs(urlsplit(link.href).query) for link in links]

    assert [(each["app"], each["endpoint"]) for each in asked] == [
        (["claude"], ["https://ai.example"]),
        (["codex"], ["https://ai.example/v1"]),
    ]
    assert all(each["apiKey"] == ["sk-cc-k"] for each in asked)
