"""The table in docs/clients.md names what is installed here, and misses nothing of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tests.stack import REPOSITORY

HERE = Path(__file__).resolve().parent
DOCUMENT = REPOSITORY / "docs" / "clients.md"
PACKAGE = re.compile(r"`([@a-z0-9/-]+)` ([0-9]+(?:\.[0-9]+)+)")
COMPANIONS = {"@langchain/core", "zod"}
"""What clients need beside them; these call nothing by themselves."""

VERSIONS = """
import importlib.metadata, json
installed = importlib.metadata.distributions()
print(json.dumps({found.name.lower(): found.version for found in installed}))
"""


def versions_of(python: Path | str) -> dict[str, str]:
    found: dict[str, str] = json.loads(subprocess.check_output([python, "-c", VERSIONS]))
    return found


def packages_of(requirements: str) -> dict[str, str]:
    """Return the packages that a file asks for, without their extras."""
    text = (HERE / "python" / requirements).read_text()
    return dict(re.findall(r"^([a-z-]+)(?:\[.*\])?==(.+)$", text, re.MULTILINE))


def installed_from_npm() -> dict[str, str]:
    names = json.loads((HERE / "package.json").read_text())["dependencies"].keys() - COMPANIONS
    return {
        name: json.loads((HERE / "node_modules" / name / "package.json").read_text())["version"]
        for name in names
    }


def installed_from_pypi(environment: str, requirements: str) -> dict[str, str]:
    versions = versions_of(REPOSITORY / environment / "bin" / "python")
    return {name: versions[name] for name in packages_of(requirements)}


def test_the_table_names_each_client_with_the_version_that_ran() -> None:
    here = versions_of(sys.executable)
    expected = {
        *installed_from_npm().items(),
        *installed_from_pypi(".venv-clients", "requirements.txt").items(),
        *installed_from_pypi(".venv-aider", "aider.txt").items(),
        *((name, here[name]) for name in ("openai", "anthropic", "langchain-openai")),
    }

    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]

    assert {found for row in rows for found in PACKAGE.findall(row.split("|")[2])} == expected
