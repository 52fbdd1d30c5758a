"""Every template of the site is well formed."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest

from adapters.flask_web.web import formatting

FOLDER = Path(formatting.__file__).parents[1] / "templates"
NAMES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.html"))


@pytest.mark.parametrize("name", NAMES)
def test_a_block_is_defined_once(name: str) -> None:
    tree = jinja2.Environment(autoescape=True).parse((FOLDER / name).read_text(), name)

    blocks = [block.name for block in tree.find_all(jinja2.nodes.Block)]
    assert len(blocks) == len(set(blocks))
