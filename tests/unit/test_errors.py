"""The tree of errors in the docstring is the tree of classes."""

import re

from creditcore.domain import errors


def _classes(error: type[Exception]) -> set[tuple[str, str]]:
    found = set()
    for child in error.__subclasses__():
        if hasattr(errors, child.__name__):
            found |= {(error.__name__, child.__name__), *_classes(child)}
    return found


def _drawn() -> set[tuple[str, str]]:
    lines = re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    above: dict[int, str] = {}
    found = set()
    for branch, name in lines:
        depth = len(branch) // 4
        above[depth] = name
        if depth:
            found.add((above[depth - 1], name))
    return found


def test_the_docstring_draws_every_error_below_its_parent() -> None:
    assert _drawn() == _classes(errors.CreditcoreError)
