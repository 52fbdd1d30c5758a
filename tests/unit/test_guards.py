"""The list of guards fits the code; ``make guards`` takes them out."""

from __future__ import annotations

import pytest

from tests.guards.list import REPOSITORY, Guard, guards


@pytest.mark.parametrize("guard", guards(), ids=lambda guard: guard.name)
def test_a_guard_stands_where_the_list_says_and_so_do_its_tests(guard: Guard) -> None:
    text = (REPOSITORY / guard.file).read_text()

    assert guard.taken_out_of(text) != text
    for test in guard.tests:
        file, _, name = test.partition("::")
        assert (REPOSITORY / file).exists()
        assert not name or name in (REPOSITORY / file).read_text()


def test_no_two_guards_share_a_name() -> None:
    names = [guard.name for guard in guards()]

    assert len(set(names)) == len(names)
