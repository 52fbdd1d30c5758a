"""Who is counted together, and who apart."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from flask import Flask, Response
from werkzeug.exceptions import TooManyRequests

from adapters.flask_web.web import devices
from adapters.flask_web.web.throttle import (
    SIGN_IN_PER_ACCOUNT,
    SIGN_IN_PER_ACCOUNT_AND_ADDRESS,
    SIGN_IN_PER_ACCOUNT_AND_DEVICE,
    Throttle,
    counted_address,
)

AMINA = "amina@example.com"
FEW = SIGN_IN_PER_ACCOUNT_AND_ADDRESS.amount
MANY = SIGN_IN_PER_ACCOUNT.amount


class Door:
    """Where people try to get in, and are counted."""

    def __init__(self, *, secret: bytes = b"ours") -> None:
        self._throttle = Throttle("")
        self._app = Flask(__name__)
        self._app.secret_key = secret

    def lets_try(
        self, email: str = AMINA, *, address: str = "192.0.2.1", device: str | None = None
    ) -> bool:
        """Whether one more attempt is one of not too many."""
        headers = {} if device is None else {"cookie": f"{devices.COOKIE}={device}"}
        with self._app.test_request_context(headers=headers, environ_base={"REMOTE_ADDR": address}):
            try:
                self._throttle.count_account(email)
            except TooManyRequests:
                return False
        return True

    def device_of(self, email: str = AMINA) -> str:
        """Return the cookie that a browser has in which somebody signed in."""
        with self._app.test_request_context():
            devices.remember(email)
            answer = self._app.process_response(Response())
        [cookie] = answer.headers.getlist("set-cookie")
        return cookie.partition(";")[0].partition("=")[2]

    def close_to_strangers(self) -> None:
        """Try from new addresses until no visitor from any address may try."""
        for number in range(MANY):
            assert self.lets_try(address=f"198.51.100.{number}")


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_an_address_is_counted_as_its_customer(text: str, counted: str) -> None:
    assert counted_address(text) == counted


def test_one_address_may_try_an_account_a_few_times() -> None:
    door = Door()

    answers = [door.lets_try() for _ in range(FEW + 1)]

    assert answers == [True] * FEW + [False]
    assert door.lets_try(address="192.0.2.2")
    assert door.lets_try("brian@example.com")


def test_one_network_of_ipv6_may_try_as_often_as_one_address() -> None:
    door = Door()
    network = int(ip_address("2001:db8::"))

    answers = [
        door.lets_try(address=str(ip_address(network + number * 2**40)))
        for number in range(FEW + 1)
    ]

    assert answers == [True] * FEW + [False]
    assert door.lets_try(address="2001:db8:0:1::")


def test_strangers_from_everywhere_keep_strangers_out_and_no_person_who_was_in() -> None:
    door = Door()
    device = door.device_of()

    door.close_to_strangers()

    assert not door.lets_try()
    assert door.lets_try(device=device)
    assert door.lets_try(f" {AMINA.upper()} ", device=device)


def test_a_device_may_try_a_few_times_wherever_it_is() -> None:
    door = Door()
    device, other_device = door.device_of(), door.device_of()

    answers = [
        door.lets_try(device=device, address=f"192.0.2.{number}")
        for number in range(SIGN_IN_PER_ACCOUNT_AND_DEVICE.amount + 1)
    ]

    assert answers == [True] * SIGN_IN_PER_ACCOUNT_AND_DEVICE.amount + [False]
    assert door.lets_try(device=other_device)


@pytest.mark.parametrize("account", ["brian@example.com", devices.NOBODY])
def test_a_device_of_another_account_is_a_stranger(account: str) -> None:
    door = Door()
    device = door.device_of(account)
    door.close_to_strangers()

    assert not door.lets_try(device=device)


def test_a_device_that_was_made_up_is_a_stranger() -> None:
    door = Door()
    name, _, signature = door.device_of().rpartition(".")
    made_up = [
        "",
        ".",
        name,
        f"{name}x.{signature}",
        f"{name}.{signature[:-2]}",
        Door(secret=b"theirs").device_of(),
        "\xff.\xed\xa0\x80",
        f"{name}.\xff",
    ]
    door.close_to_strangers()

    assert [door.lets_try(device=device) for device in made_up] == [False] * len(made_up)


def test_a_device_does_not_say_whose_it_is() -> None:
    device = Door().device_of()

    assert "amina" not in device
    assert device != Door().device_of()
