"""The tables in docs/clients.md: the versions that are installed, and what became of each case."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.clients.cases import ANSWERED, FAILED
from tests.clients.runs import Run, Runs
from tests.clients.sdks import HERE, SDKS, Sdk
from tests.stack import REPOSITORY

DOCUMENT = REPOSITORY / "docs" / "clients.md"
PACKAGE = re.compile(r"`([@a-z0-9/-]+)` ([0-9]+(?:\.[0-9]+)+)")
COMPANIONS = {"@langchain/core"}
"""What clients need beside them, and calls nothing by itself."""
OF_SDKS = ("What each can do", "What each does when a call fails")
ALL_CAN = ("plain", "streamed", "tools")
"""What the document says of all in one sentence."""

VERSIONS = """
import importlib.metadata, json
installed = importlib.metadata.distributions()
print(json.dumps({found.name.lower(): found.version for found in installed}))
"""


def installed_from_npm() -> dict[str, str]:
    names = json.loads((HERE / "package.json").read_text())["dependencies"].keys() - COMPANIONS
    return {
        name: json.loads((HERE / "node_modules" / name / "package.json").read_text())["version"]
        for name in names
    }


def installed_from_pypi(requirements: Path) -> dict[str, str]:
    """Return the versions of what a file asks for, in the environment that is named after it."""
    python = REPOSITORY / f".venv-clients-{requirements.stem}" / "bin" / "python"
    versions = json.loads(subprocess.check_output([python, "-c", VERSIONS]))
    asked = re.findall(r"^([a-z-]+)(?:\[.*\])?==", requirements.read_text(), re.MULTILINE)
    return {name: versions[name] for name in asked}


def rows_below(heading: str) -> list[list[str]]:
    """Return the cells of the table in a section, without its head."""
    section = DOCUMENT.read_text().split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[1:]]


def what_it_can(sdk: Sdk, run: Run) -> list[str]:
    """Return the row of a client that says what it can do, having done it."""
    wanted = [name for name in ANSWERED if name not in ALL_CAN]
    return [sdk.name, *("yes" if name in run.reports else "none" for name in wanted)]


def how_often_it_asks(sdk: Sdk, run: Run) -> list[str]:
    """Return the row of a client that says how many calls it makes of one that fails."""
    return [sdk.name, *(str(len(run.upstream(name))) for name in FAILED)]


def test_the_tables_name_each_client_with_the_version_that_ran() -> None:
    expected = {*installed_from_npm().items()}
    for requirements in (HERE / "python").glob("*.txt"):
        expected |= {*installed_from_pypi(requirements).items()}

    rows = [*rows_below("Coding tools"), *rows_below("SDKs and frameworks")]

    assert {found for row in rows for found in PACKAGE.findall(row[1])} == expected


@pytest.mark.parametrize("sdk", SDKS, ids=lambda sdk: sdk.name)
def test_the_tables_say_what_became_of_each_case(runs: Runs, sdk: Sdk) -> None:
    run = runs.of(sdk)

    rows = [row for heading in OF_SDKS for row in rows_below(heading) if row[0] == sdk.name]

    assert rows == [what_it_can(sdk, run), how_often_it_asks(sdk, run)]


def test_the_tables_name_nobody_else() -> None:
    names = {sdk.name for sdk in SDKS}

    assert not any(sdk.lacks & set(ALL_CAN) for sdk in SDKS)
    assert {row[0] for heading in OF_SDKS for row in rows_below(heading)} == names
