"""Which webhooks count as signed by Paystack."""

from __future__ import annotations

import hashlib

import pytest

from adapters.paystack.signature import is_signed, sign

BODY = b'{"event":"charge.success","data":{"reference":"tp-01JD9K7Q2M8F"}}'
SECRET_KEY = "sk_test_4e1b7d90c2"


def hmac_sha512_by_hand(body: bytes, key: bytes) -> str:
    """HMAC as RFC 2104 defines it, from the bare hash."""
    padded = key.ljust(128, b"\0")
    inner = hashlib.sha512(bytes(byte ^ 0x36 for byte in padded) + body).digest()
    return hashlib.sha512(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


def test_signature_is_hmac_sha512_in_lower_case_hex() -> None:
    assert sign(BODY, SECRET_KEY) == hmac_sha512_by_hand(BODY, SECRET_KEY.encode())


def test_signature_matches_the_published_vector() -> None:
    # RFC 4231, test case 2.
    expected = (
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
        "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    )

    assert sign(b"what do ya want for nothing?", "Jefe") == expected


def test_signed_bytes_are_accepted() -> None:
    assert is_signed(BODY, sign(BODY, SECRET_KEY), [SECRET_KEY])


@pytest.mark.parametrize("position", range(0, len(BODY), 7))
def test_one_flipped_byte_is_refused(position: int) -> None:
    tampered = bytearray(BODY)
    tampered[position] ^= 1

    assert not is_signed(bytes(tampered), sign(BODY, SECRET_KEY), [SECRET_KEY])


def test_the_same_json_written_differently_is_refused() -> None:
    spaced = BODY.replace(b":", b": ")

    assert not is_signed(spaced, sign(BODY, SECRET_KEY), [SECRET_KEY])


GOOD_SIGNATURE = sign(BODY, SECRET_KEY)


@pytest.mark.parametrize(
    "signature",
    [
        None,
        "",
        GOOD_SIGNATURE.upper(),
        GOOD_SIGNATURE[:-1],
        GOOD_SIGNATURE + "\n",
        f" {GOOD_SIGNATURE}",
        f"sha512={GOOD_SIGNATURE}",
        "é" * 128,
        hashlib.sha512(BODY).hexdigest(),
    ],
    ids=[
        "missing",
        "empty",
        "upper case",
        "cut",
        "line break",
        "space",
        "prefix",
        "not ascii",
        "hash without key",
    ],
)
def test_odd_signature_is_refused(signature: str | None) -> None:
    assert not is_signed(BODY, signature, [SECRET_KEY])


@pytest.mark.parametrize("signed_with", ["sk_test_new_key", "sk_test_old_key"])
def test_either_key_is_accepted_during_a_rotation(signed_with: str) -> None:
    signature = sign(BODY, signed_with)

    assert is_signed(BODY, signature, ["sk_test_new_key", "sk_test_old_key"])


def test_a_key_that_was_rotated_out_is_refused() -> None:
    signature = sign(BODY, "sk_test_old_key")

    assert not is_signed(BODY, signature, ["sk_test_new_key"])


def test_without_keys_nothing_is_signed() -> None:
    assert not is_signed(BODY, GOOD_SIGNATURE, [])
