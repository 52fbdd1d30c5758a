"""What ``doctor`` says of settings that no part of the site trips over by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from creditcore.testing.memory import MemoryTransactions
from tests.web.site import Site

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("public", "told"),
    [
        (f"pk_test_{KEY}", "ok    Paystack's public key\n"),
        (f"pk_live_{KEY}", "FAIL  Paystack's public key: PAYSTACK_PUBLIC_KEY is a live key"),
        (f"sk_test_{KEY}", "FAIL  Paystack's public key: PAYSTACK_PUBLIC_KEY begins with pk_"),
    ],
)
def test_the_public_key_is_of_the_same_mode_as_the_secret_one(
    tmp_path: Path, public: str, told: str
) -> None:
    site = Site(MemoryTransactions(), tmp_path, PAYSTACK_PUBLIC_KEY=public)

    said = site.app.test_cli_runner().invoke(args=["doctor"]).stdout

    assert told in said
    assert KEY not in said


def test_without_a_public_key_nothing_is_said_of_it(tmp_path: Path) -> None:
    site = Site(MemoryTransactions(), tmp_path)

    said = site.app.test_cli_runner().invoke(args=["doctor"]).stdout

    assert "Paystack (" in said
    assert "public key" not in said
