"""What the documents show works as printed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
EMBEDDING = (REPOSITORY / "docs" / "embedding.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```\n\nIt prints `([^`]+)`", EMBEDDING, re.DOTALL)


@pytest.mark.parametrize(("program", "printed"), PROGRAMS, ids=["charging", "pricing"])
def test_an_embedding_example_prints_what_the_page_says(
    program: str, printed: str, tmp_path: Path
) -> None:
    # A directory of its own, and no site packages: the library needs nothing but Python.
    done = subprocess.run(
        [sys.executable, "-S", "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == printed


PAGES = [*REPOSITORY.glob("*.md"), *REPOSITORY.glob("docs/**/*.md")]


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())

    missing = [link for link in links if not (page.parent / link).exists()]

    assert missing == []
