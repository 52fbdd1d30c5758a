"""Each example of docs/sdks.md, run as it stands."""

from __future__ import annotations

import re
import subprocess

import pytest

from creditcore import Credits
from tests.clients.cases import GREETING
from tests.clients.document import EXAMPLES, filled
from tests.clients.sdks import HERE, NODE, OPENAI_2, OPENAI_3, SDKS
from tests.stack import Stack

TIMEOUT_S = 600
WITH_OPENAI_2 = {"instructor", "LlamaIndex"}
OF_A_COMMAND = {"llm"}
"""What docs/clients.md shows as a program for the terminal."""


def command_for(name: str, language: str) -> list[str]:
    """Return what runs an example that it reads from its standard input."""
    if language == "js":
        return [NODE, "--input-type=module", "-"]
    return [OPENAI_2 if name in WITH_OPENAI_2 else OPENAI_3, "-"]


@pytest.mark.parametrize(("name", "language", "text"), EXAMPLES, ids=[each[0] for each in EXAMPLES])
def test_an_example_is_answered_and_charged(
    stack: Stack, name: str, language: str, text: str
) -> None:
    account = stack.an_account(credits_="200")

    done = subprocess.run(
        command_for(name, language),
        cwd=HERE,
        input=filled(text, stack, account),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in {GREETING, "example"}
    wallet = stack.settled_wallet_of(account.person_id)
    [call] = stack.calls_of(account)
    assert call.outcome.status == 200
    assert Credits.of(200) - wallet.posted == call.charged > Credits(0)


def test_every_sdk_has_an_example() -> None:
    names = {name for name, _, _ in EXAMPLES} | OF_A_COMMAND

    # One of pydantic-ai's protocols shows how the others are set.
    assert {re.sub("^pydantic-ai,.*", "pydantic-ai", sdk.name) for sdk in SDKS} == names
