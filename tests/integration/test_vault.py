"""Secrets that have to be read again, in a database that may be copied."""

from __future__ import annotations

import pytest

from adapters.vault import AesVault
from creditcore.domain.errors import SealBrokenError

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def vault() -> AesVault:
    return AesVault(SECRET)


def test_what_is_sealed_opens_in_its_context(vault: AesVault) -> None:
    sealed = vault.seal(b"a-refresh-token", context="session:1")

    assert b"refresh" not in sealed
    assert vault.open(sealed, context="session:1") == b"a-refresh-token"


def test_sealing_twice_gives_different_bytes(vault: AesVault) -> None:
    assert vault.seal(b"same", context="c") != vault.seal(b"same", context="c")


def test_a_seal_moved_to_another_row_stays_shut(vault: AesVault) -> None:
    sealed = vault.seal(b"token", context="session:1")

    with pytest.raises(SealBrokenError):
        vault.open(sealed, context="session:2")


def test_another_secret_does_not_open_it(vault: AesVault) -> None:
    sealed = vault.seal(b"token", context="c")

    with pytest.raises(SealBrokenError):
        AesVault(SECRET + "x").open(sealed, context="c")


def test_a_changed_byte_is_noticed_wherever_it_is(vault: AesVault) -> None:
    sealed = vault.seal(b"token", context="c")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBrokenError):
            vault.open(bytes(changed), context="c")


def test_a_seal_is_renewed_once_and_needs_the_secret_before_no_more() -> None:
    new = "another secret of 32 characters!"
    rotated = AesVault(new, previous_secrets=[SECRET])
    sealed = AesVault(SECRET).seal(b"AUTH_code", context="card:1")

    fresh = rotated.reseal(sealed, context="card:1")

    assert fresh is not None
    assert AesVault(new).open(fresh, context="card:1") == b"AUTH_code"
    assert rotated.reseal(fresh, context="card:1") is None
    for broken, context in ((sealed, "card:2"), (b"", "card:1")):
        with pytest.raises(SealBrokenError):
            rotated.reseal(broken, context=context)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"0" * 11, b"\x01" + b"0" * 12])
def test_a_stump_does_not_open(vault: AesVault, sealed: bytes) -> None:
    with pytest.raises(SealBrokenError):
        vault.open(sealed, context="c")


def test_a_vault_opens_what_was_sealed_with_the_secret_before(vault: AesVault) -> None:
    sealed = vault.seal(b"AUTH_code", context="card:1")
    rotated = AesVault("another secret of 32 characters!", previous_secrets=[SECRET])

    assert rotated.open(sealed, context="card:1") == b"AUTH_code"
    with pytest.raises(SealBrokenError):
        rotated.open(sealed, context="card:2")
    with pytest.raises(SealBrokenError):
        vault.open(rotated.seal(b"AUTH_code", context="card:1"), context="card:1")
