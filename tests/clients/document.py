"""What the documents tell people to copy, with the address and key of a test in its place."""

from __future__ import annotations

import re

from tests.stack import REPOSITORY, Account, Stack

CLIENTS = REPOSITORY / "docs" / "clients.md"
SDKS = REPOSITORY / "docs" / "sdks.md"
EXAMPLES = re.findall(r"\n## ([^\n]+)\n\n```(python|js)\n(.*?)```", SDKS.read_text(), re.DOTALL)
"""Name, language and text of each SDK's example."""


def filled(text: str, stack: Stack, account: Account) -> str:
    """Return what was copied, with what people write into it."""
    return text.replace("http://localhost:8000", stack.base_url).replace(
        "sk-cc-...", account.api_key
    )


def block_below(heading: str, stack: Stack, account: Account) -> str:
    """Return the one block of a client's section."""
    section = CLIENTS.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    [block] = re.findall(r"```\w+\n(.*?)```", section, re.DOTALL)
    return filled(block, stack, account)


def variables_below(heading: str, stack: Stack, account: Account) -> dict[str, str]:
    """Return the variables that a client's section exports."""
    exported = re.findall(r"^export (.+)$", block_below(heading, stack, account), re.MULTILINE)
    return dict(pair.split("=", 1) for line in exported for pair in line.split())
