"""A request has one key, wherever its protocol puts it."""

import pytest

from adapters.flask_web.web.bearer import bearer_secret, either_secret
from creditcore import KeyRefusedError, KeySecret

# Always the same, for they stand in the names of the tests.
ONE = KeySecret.generate(lambda letters: letters[1])
OTHER = KeySecret.generate(lambda letters: letters[2])


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [
        (f"Bearer {ONE.text}", None),
        (f"bearer  {ONE.text} ", ""),
        (f" {ONE.text} ", None),
        (None, ONE.text),
        ("", f" {ONE.text} "),
        (f"Bearer {ONE.text}", ONE.text),
        (f"Bearer {ONE.text}", "sk-ant-of-another-service"),
        ("Bearer sk-of-another-service", ONE.text),
        ("Basic abc", ONE.text),
    ],
)
def test_the_key_is_found_in_either_header(authorization: str | None, api_key: str | None) -> None:
    assert either_secret(authorization, api_key) == ONE


@pytest.mark.parametrize(
    ("authorization", "api_key"),
    [
        (None, None),
        (f"Bearer {OTHER.text}", ONE.text),
        ("Bearer sk-wrong", "sk-wrong"),
        (None, f"{ONE.text},{ONE.text}"),
        (f"Basic {ONE.text}", None),
        (f"{ONE.text} {ONE.text}", None),
        ("Bearer", None),
    ],
)
def test_none_two_or_nonsense_open_nothing(authorization: str | None, api_key: str | None) -> None:
    with pytest.raises(KeyRefusedError):
        either_secret(authorization, api_key)


def test_elsewhere_only_a_bearer_counts() -> None:
    assert bearer_secret(f"Bearer {ONE.text}") == ONE
    with pytest.raises(KeyRefusedError):
        bearer_secret(None)
