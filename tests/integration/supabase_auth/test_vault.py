"""What is kept of a session in the database."""

from __future__ import annotations

import pytest

from adapters.supabase_auth.vault import MAX_SEALED_BYTES, SealBrokenError, SealTooLongError, Vault

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def vault() -> Vault:
    return Vault(SECRET, purpose="tokens")


def test_what_is_sealed_opens_at_its_place(vault: Vault) -> None:
    sealed = vault.seal("a-refresh-token", place="session-1")

    assert b"refresh" not in sealed
    assert vault.open(sealed, place="session-1") == "a-refresh-token"


def test_sealing_twice_gives_two_texts(vault: Vault) -> None:
    assert vault.seal("same", place="p") != vault.seal("same", place="p")


def test_a_seal_moved_to_another_place_stays_shut(vault: Vault) -> None:
    sealed = vault.seal("token", place="session-1")

    with pytest.raises(SealBrokenError):
        vault.open(sealed, place="session-2")


@pytest.mark.parametrize(
    "other",
    [Vault(SECRET + "x", purpose="tokens"), Vault(SECRET, purpose="verifiers")],
    ids=["another secret", "another purpose"],
)
def test_another_key_does_not_open_it(vault: Vault, other: Vault) -> None:
    sealed = vault.seal("token", place="p")

    with pytest.raises(SealBrokenError):
        other.open(sealed, place="p")


def test_a_changed_byte_is_noticed_wherever_it_is(vault: Vault) -> None:
    sealed = vault.seal("token", place="p")

    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(SealBrokenError):
            vault.open(bytes(changed), place="p")


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + b"0" * 11, b"\x01" + b"0" * 12])
def test_a_stump_does_not_open(vault: Vault, sealed: bytes) -> None:
    with pytest.raises(SealBrokenError):
        vault.open(sealed, place="p")


def test_a_token_beyond_any_use_is_not_kept(vault: Vault) -> None:
    assert vault.open(vault.seal("x" * MAX_SEALED_BYTES, place="p"), place="p")
    with pytest.raises(SealTooLongError):
        vault.seal("x" * (MAX_SEALED_BYTES + 1), place="p")
