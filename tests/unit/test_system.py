"""Names are random, and sort by the time they were made."""

from __future__ import annotations

import time
from uuid import RFC_4122, UUID

from creditcore import SystemIds


def test_every_name_is_a_uuid_of_version_7() -> None:
    names = [UUID(SystemIds().new()) for _ in range(1000)]

    assert {(name.version, name.variant) for name in names} == {(7, RFC_4122)}


def test_every_other_bit_is_random() -> None:
    names = [UUID(SystemIds().new()).int for _ in range(1000)]

    ones, zeros = 0, 0
    for name in names:
        ones, zeros = ones | name, zeros | ~name
    assert (ones & zeros & ((1 << 76) - 1)).bit_count() == 74


def test_names_begin_with_the_millisecond_they_were_made_in() -> None:
    before = time.time_ns() // 1_000_000
    name = SystemIds().new_reference("call").removeprefix("call-")
    after = time.time_ns() // 1_000_000

    assert before <= int(name, 16) >> 80 <= after
