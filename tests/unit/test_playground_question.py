"""What is asked from the playground: read strictly, and shown as code that says the same."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from typing import Any

import pytest

from adapters.flask_web.playground.question import as_code, from_form, from_script
from creditcore.domain.errors import InvalidRequestError

FORM = {"model": "demo-chat", "system": "", "prompt": "Habari?", "max_tokens": "64"}


def test_a_form_becomes_a_request() -> None:
    question = from_form({**FORM, "system": "Be brief.", "temperature": "0.5"})

    assert json.loads(question.body(stream=True)) == {
        "model": "demo-chat",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Habari?"},
        ],
        "max_tokens": 64,
        "temperature": 0.5,
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_what_is_left_open_is_left_to_the_model() -> None:
    fields = from_form({**FORM, "max_tokens": ""}).fields(stream=False)

    assert fields == {
        "model": "demo-chat",
        "messages": [{"role": "user", "content": "Habari?"}],
        "max_tokens": 512,
    }


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": " "}, "model"),
        ({"prompt": " \n"}, "prompt"),
        ({"prompt": "x" * 400_001}, "prompt"),
        ({"max_tokens": "0"}, "max_tokens"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"max_tokens": "9" * 30}, "max_tokens"),
        ({"max_tokens": "\u0663"}, "max_tokens"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": "NaN"}, "temperature"),
        ({"temperature": "2.1"}, "temperature"),
    ],
)
def test_what_cannot_be_asked_names_its_field(change: dict[str, str], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        from_form({**FORM, **change})

    assert caught.value.param == param


@pytest.mark.parametrize(
    "sent",
    [
        None,
        [],
        {"model": "m"},
        {"model": "m", "messages": [{"role": "system", "content": "x"}]},
        {"model": "m", "messages": [{"role": "user", "content": 5}]},
        {"model": "m", "messages": [{"role": "user", "content": "x"}] * 201},
    ],
)
def test_a_script_cannot_send_anything_else(sent: Any) -> None:
    with pytest.raises(InvalidRequestError):
        from_script(sent)


def test_only_roles_and_texts_of_a_conversation_go_on() -> None:
    said = {"role": "user", "content": "x", "tool_calls": [1]}

    question = from_script({"model": "m", "messages": [said], "tools": [1]})

    assert set(question.fields(stream=False)) == {"model", "messages", "max_tokens"}
    assert question.messages == [{"role": "user", "content": "x"}]


def test_the_code_says_what_was_asked_whatever_is_in_it() -> None:
    nasty = """It's "quoted" \\ $HOME `id` \n </script> \u2028"""
    code = as_code(from_form({**FORM, "prompt": nasty}), "https://ai.example")

    # Python reads its own arguments back; a shell passes the document on unchanged.
    arguments = code["python"].partition("create(")[2].partition(")\nprint")[0]
    parsed = ast.parse(f"create({arguments})", mode="eval").body
    assert isinstance(parsed, ast.Call)
    values = {each.arg: ast.literal_eval(each.value) for each in parsed.keywords}
    assert values["messages"][0]["content"] == nasty
    shown = subprocess.run(
        [
            "sh",
            "-c",
            code["curl"].replace(
                "curl", f"{sys.executable} -c 'import sys;print(sys.argv[-1])'", 1
            ),
        ],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert json.loads(shown.stdout)["messages"][0]["content"] == nasty
    assert json.loads(code["node"].partition("create(")[2].partition(");")[0])
