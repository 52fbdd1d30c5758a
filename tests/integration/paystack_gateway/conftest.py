"""The gateway, and Paystack faked at the transport."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from adapters.paystack import PaystackGateway
from tests.integration.paystack_gateway.messages import BASE_URL, SECRET_KEY


@pytest.fixture
def paystack() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def gateway() -> PaystackGateway:
    return PaystackGateway(BASE_URL, SECRET_KEY)
