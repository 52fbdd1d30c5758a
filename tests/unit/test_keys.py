"""A key is recognised by its shape, stored as a hash, and opens nothing once it is over."""

from __future__ import annotations

import hmac
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from creditcore import ApiKey, KeySecret
from creditcore.domain.errors import KeyRefusedError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def a_secret(seed: int = 0) -> KeySecret:
    # Repeatable, so that a failure can be tried again.
    return KeySecret.generate(random.Random(seed).choice)  # noqa: S311


def a_key(**fields: object) -> ApiKey:
    secret = a_secret()
    given_fields = {
        "id": "key-1",
        "wallet_id": "wallet-1",
        "owner_id": "owner-1",
        "name": "laptop",
        "prefix": secret.shown_prefix,
        "last_four": secret.last_four,
        "key_hash": secret.hash(b"pepper"),
        "created_at": NOON,
        **fields,
    }
    return ApiKey(**given_fields)  # type: ignore[arg-type]


@given(st.integers())
def test_every_generated_key_is_accepted(seed: int) -> None:
    secret = a_secret(seed)

    assert KeySecret.parse(secret.text) == secret
    assert len(secret.text) == len("sk-cc-") + 32 + 6


@given(st.integers(), st.integers(len("sk-cc-"), len("sk-cc-") + 37), st.sampled_from(ALPHABET))
def test_the_checksum_catches_every_single_change(seed: int, place: int, other: str) -> None:
    text = a_secret(seed).text
    changed = f"{text[:place]}{other}{text[place + 1 :]}"

    if changed != text:
        with pytest.raises(KeyRefusedError):
            KeySecret.parse(changed)


@given(st.integers(), st.integers(len("sk-cc-"), len("sk-cc-") + 30))
def test_the_checksum_catches_two_neighbours_that_changed_places(seed: int, place: int) -> None:
    text = a_secret(seed).text
    swapped = f"{text[:place]}{text[place + 1]}{text[place]}{text[place + 2 :]}"

    if swapped != text:
        with pytest.raises(KeyRefusedError):
            KeySecret.parse(swapped)


@given(st.text())
def test_anything_else_is_malformed_and_never_an_accident(text: str) -> None:
    with pytest.raises(KeyRefusedError) as caught:
        KeySecret.parse(text)

    assert caught.value.reason == "malformed"


@pytest.mark.parametrize("around", ["{}\n", " {}", "{} ", "{}x", "x{}", "{0}{0}"])
def test_nothing_may_stand_around_a_key(around: str) -> None:
    with pytest.raises(KeyRefusedError):
        KeySecret.parse(around.format(a_secret().text))


def test_a_hash_depends_on_the_pepper_and_on_every_key() -> None:
    hashes = {a_secret(seed).hash(pepper) for seed in (1, 2) for pepper in (b"a", b"b")}

    assert len(hashes) == 4
    assert {len(hashed) for hashed in hashes} == {32}


@pytest.mark.parametrize("length", [0, 1, 32, 64, 65, 200])
def test_a_hash_is_the_standard_hmac_under_a_pepper_of_any_length(length: int) -> None:
    pepper = bytes(range(length))

    hashed = a_secret().hash(pepper)

    assert hashed == hmac.digest(pepper, a_secret().text.encode(), "sha256")


def test_a_key_that_was_given_out_once_is_recognised_for_ever() -> None:
    secret = KeySecret.parse("sk-cc-abcdefghijklmnopqrstuvwxyz0123451nc0VA")

    assert (
        secret.hash(b"pepper").hex()
        == "f9c6c40fb74f8f51090bbfd50a7ba367177767fd307c7295806d700839d56dce"
    )


def test_a_secret_never_shows_itself() -> None:
    secret = a_secret()
    shown = [repr(secret), secret.shown_prefix, secret.last_four, repr([secret]), f"{secret!r}"]

    assert all(secret.text not in text and secret.text[10:38] not in text for text in shown)


def test_a_revoked_key_opens_nothing() -> None:
    with pytest.raises(KeyRefusedError) as caught:
        a_key().revoke(at=NOON).usable(now=NOON)

    assert caught.value.reason == "revoked"


def test_revoking_again_keeps_the_first_time() -> None:
    revoked = a_key().revoke(at=NOON)

    assert revoked.revoke(at=NOON + SECOND) is revoked


def test_a_key_expires_at_its_very_instant() -> None:
    key = a_key(expires_at=NOON)

    assert key.usable(now=NOON - timedelta(microseconds=1)) is key
    with pytest.raises(KeyRefusedError) as caught:
        key.usable(now=NOON)
    assert caught.value.reason == "expired"
