"""The tree of errors in the docstring is the tree of classes."""

import re

from creditcore.domain import errors


def _drawn(error: type[Exception], depth: int = 0) -> list[tuple[int, str]]:
    below = [line for child in error.__subclasses__() for line in _drawn(child, depth + 1)]
    return [(depth, error.__name__), *below]


def test_the_docstring_draws_every_error_where_it_stands() -> None:
    lines = re.findall(r"^    ([│├└─ ]*)(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    drawn = [(len(branch) // 4, name) for branch, name in lines]
    classes = [line for line in _drawn(errors.CreditcoreError) if hasattr(errors, line[1])]
    assert sorted(drawn) == sorted(classes)
