"""Paystack behind the core's ``PaymentGateway`` port."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote, urlsplit

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from adapters.paystack import charges, notices, payloads
from adapters.paystack.currencies import TERMS
from adapters.paystack.failures import reason_of
from adapters.paystack.signature import is_signed
from creditcore.domain.errors import (
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    WebhookRefusedError,
)
from creditcore.domain.money import Money
from creditcore.domain.payer_details import PayerAnswer
from creditcore.domain.purchases import Payment
from creditcore.ports.payments import (
    CheckoutRequest,
    FailureReason,
    MobileCharge,
    MobileChargeRequest,
    MobileNetwork,
    WebhookNotice,
)

MAX_ANSWER_BYTES = 1_048_576
"""A hundred times the longest answer in Paystack's samples."""

MAX_WEBHOOK_BYTES = 1_048_576

_CHECKOUT_ORIGIN = "https://checkout.paystack.com"
_PIECE_BYTES = 64 * 1024

# What a header can carry. A line break would make the HTTP library name the key in its error.
_SECRET_KEY = re.compile(r"[\x21-\x7e]{8,}")
# No backslash: browsers read it as a slash, and so see another host than we do.
_WEB_ADDRESS = re.compile(r"https?://[!-\[\]-~]+")


class PaystackUnreachableError(PaymentGatewayUnavailableError):
    """No connection, or one that broke off: Paystack is away, and not only busy."""


class PaystackGateway:
    """Collects money through Paystack's hosted checkout.

    Safe to share between threads and greenlets: each call has a session and a connection
    of its own. Payments are rare, so the extra handshake costs less than what a shared
    session brings: a cookie jar without a lock, and idle connections that Paystack has
    closed, which turn a ``POST`` into one of unknown outcome. Nothing is ever sent twice.
    """

    def __init__(
        self,
        base_url: str,
        secret_key: str,
        *,
        previous_secret_keys: Sequence[str] = (),
        connect_timeout_s: float = 5.0,
        read_timeout_s: float = 15.0,
    ) -> None:
        """Prepare the gateway; nothing is sent yet.

        Args:
            base_url: ``https://api.paystack.co``, or a sandbox, which may speak plain HTTP.
            secret_key: ``sk_live_...`` or ``sk_test_...``; it also signs the webhooks.
            previous_secret_keys: Keys whose webhooks are still taken, during a rotation.
            connect_timeout_s: The longest wait for a connection.
            read_timeout_s: The longest silence while an answer is awaited. All of it takes
                no longer than both together.

        Raises:
            ValueError: The address or a key cannot be right. The key is not repeated.
        """
        self._base_url = base_url.rstrip("/")
        self._base = urlsplit(self._base_url)
        if self._base.scheme not in {"http", "https"} or not self._base.hostname:
            raise ValueError(f"Paystack's address is no web address: {base_url!r}")
        self._secret_keys = (secret_key, *previous_secret_keys)
        if not all(_SECRET_KEY.fullmatch(key) for key in self._secret_keys):
            raise ValueError("a Paystack secret key is 8 or more letters, digits and signs")
        self._secret_key = secret_key
        self._timeout_s = (connect_timeout_s, read_timeout_s)

    def __repr__(self) -> str:
        return f"PaystackGateway({self._base_url!r})"

    @property
    def signature_header(self) -> str:
        """The header that carries Paystack's signature of a webhook."""
        return "X-Paystack-Signature"

    @property
    def checkout_origins(self) -> Sequence[str]:
        """Paystack's payment page, and the server we speak with: a sandbox serves its own."""
        return _CHECKOUT_ORIGIN, f"{self._base.scheme}://{self._base.netloc}"

    def minimum(self, currency: str) -> Money:
        """Return the smallest amount that Paystack collects in a currency."""
        try:
            return Money(TERMS[currency].minimum, currency)
        except KeyError:
            raise LookupError(f"Paystack collects no {currency} for us") from None

    def mobile_networks(self, currency: str) -> Sequence[MobileNetwork]:
        """Return the networks whose phones pay in a currency."""
        return TERMS[currency].networks if currency in TERMS else ()

    def redact(self, body: str) -> str:
        """Return a webhook with its event, numbers, amounts and dates alone."""
        return notices.redacted(body)

    def failure_reason(self, message: str) -> FailureReason:
        """Return what a message of a failed payment means."""
        return reason_of(message)

    def charge_mobile(self, request: MobileChargeRequest) -> MobileCharge:
        """Ask a phone to pay.

        Raises:
            PaymentRejectedError: Paystack refused; no phone was asked.
            PaymentGatewayUnavailableError: Unknown whether a phone is asked: verify the
                reference, and send nothing again.
        """
        if not payloads.is_reference(request.reference):
            raise PaymentRejectedError("Paystack does not take this reference.")
        answer = self.ask("POST", "/charge", charges.charge_body(request))
        if answer.is_duplicate:
            # It came to Paystack before, so a phone may be asked by now.
            raise PaymentGatewayUnavailableError("Paystack knows this charge already.")
        if answer.http_status == 400:
            raise PaymentRejectedError(answer.refusal)
        return self._safe(charges.read_charge(answer, reference=request.reference))

    def submit_detail(self, reference: str, answer: PayerAnswer) -> MobileCharge:
        """Pass on what the payer typed; it is sent once, and no error repeats it."""
        told = self.ask("POST", charges.submit_path(answer), charges.submit_body(reference, answer))
        if told.http_status == 400:
            raise PaymentRejectedError(charges.without_secrets(told.refusal, answer))
        charge = charges.read_charge(told, reference=reference)
        return self._safe(charges.charge_without_secrets(charge, answer))

    def charge_progress(self, reference: str) -> MobileCharge:
        """Return where a charge on a phone stands."""
        told = self.ask("GET", f"/charge/{quote(reference, safe='')}")
        return self._safe(charges.read_charge(told, reference=reference))

    def start_checkout(self, request: CheckoutRequest) -> str:
        """Return the address of the page where the payer pays.

        Paystack names it only once: asking again with the same reference is rejected.

        Raises:
            PaymentRejectedError: Paystack refused, or the reference was used before.
            PaymentGatewayUnavailableError: Unknown whether it was started: verify the
                reference before another attempt, which needs a new one.
        """
        if not payloads.is_reference(request.reference):
            raise PaymentRejectedError("Paystack does not take this reference.")
        body = payloads.initialize_body(request, channels=_channels(request.amount.currency))
        answer = self.ask("POST", "/transaction/initialize", body)
        if answer.http_status == 400:
            raise PaymentRejectedError(answer.message)
        url = payloads.read_checkout_url(answer, reference=request.reference)
        if not self.may_open(url):
            raise PaymentGatewayUnavailableError("Paystack named a page that is not safe to open.")
        return url

    def verify(self, reference: str) -> Payment | None:
        """Return what Paystack knows of a payment; None if it never heard of it.

        Raises:
            PaymentGatewayUnavailableError: No usable answer; ask again later.
        """
        if not payloads.is_reference(reference):
            return None
        answer = self.ask("GET", f"/transaction/verify/{quote(reference, safe='')}")
        if answer.is_unknown_reference:
            return None
        return payloads.read_payment(answer, reference=reference)

    def find(self, payment_id: str) -> Payment | None:
        """Return the payment of Paystack's own number; None if there is none."""
        if not payment_id.isdecimal():
            return None
        answer = self.ask("GET", f"/transaction/{payment_id}")
        if answer.is_unknown_reference:
            return None
        payment = payloads.payment_of(answer.data())
        if payment is None or payment.provider_id != payment_id:
            raise payloads.unusable(answer.http_status, "it is about another payment")
        return payment

    def payment_id_in(self, body: str) -> str:
        """Return the number of the payment that a stored ``charge.*`` webhook names."""
        return notices.payment_id_in(body)

    def authenticate(self, body: bytes, signature: str | None) -> WebhookNotice:
        """Return what a webhook is about, if Paystack signed exactly these bytes.

        Raises:
            WebhookRefusedError: It did not, or it is longer than any webhook.
        """
        if len(body) > MAX_WEBHOOK_BYTES:
            raise WebhookRefusedError("The webhook is too long.")
        if not is_signed(body, signature, self._secret_keys):
            raise WebhookRefusedError("The webhook is not signed by Paystack.")
        return notices.read_notice(body)

    def ask(self, method: str, path: str, body: bytes | None = None) -> payloads.Answer:
        """Send one request and return its answer.

        Raises:
            PaymentGatewayUnavailableError: There is none, or none that can be used.
        """
        deadline = time.monotonic() + sum(self._timeout_s)
        try:
            with (
                _DirectSession() as session,
                session.request(
                    method,
                    self._base_url + path,
                    data=body,
                    headers=self._headers(),
                    timeout=self._timeout_s,
                    stream=True,
                ) as response,
            ):
                http_status, content = response.status_code, _read(response, deadline)
        except requests.ConnectionError as error:
            raise PaystackUnreachableError("Paystack cannot be reached.") from error
        except (requests.Timeout, ReadTimeoutError) as error:
            raise PaymentGatewayUnavailableError("Paystack did not answer in time.") from error
        except (requests.RequestException, HTTPError) as error:
            raise PaymentGatewayUnavailableError("Paystack cannot be reached.") from error
        # Paystack's words end in logs and on pages; the key must not, even if it were echoed.
        content = content.replace(self._secret_key.encode(), b"[secret key]")
        return payloads.Answer.parse(http_status, content)

    def _headers(self) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {self._secret_key}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            # Nothing to unpack, so the limit on the answer's size is a limit on memory too.
            "Accept-Encoding": "identity",
        }

    def _safe(self, charge: MobileCharge) -> MobileCharge:
        """Return a charge without a page that is not safe to open."""
        if not charge.page_url or self.may_open(charge.page_url):
            return charge
        return replace(charge, page_url="")

    def may_open(self, url: str) -> bool:
        """Whether a payer's browser may be sent there: HTTPS, or the sandbox's own host."""
        if not _WEB_ADDRESS.fullmatch(url):
            return False
        try:
            page = urlsplit(url)
        except ValueError:
            return False
        if page.scheme == "https":
            return bool(page.hostname)
        return self._base.scheme == "http" and page.hostname == self._base.hostname


def _channels(currency: str) -> Sequence[str]:
    return TERMS[currency].channels if currency in TERMS else ("card",)


class _DirectSession(requests.Session):
    """Speaks with the one server it is told to, whatever the environment or that server say."""

    def __init__(self) -> None:
        super().__init__()
        # No proxies, .netrc logins or CA bundles of the environment.
        self.trust_env = False

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return that there is none.

        ``allow_redirects=False`` would not do: it still reads the whole body of a redirect,
        however long, and parses the address, which raises ``ValueError`` for a broken one.
        """


def _read(response: requests.Response, deadline: float) -> bytes:
    """Read an answer's body.

    Raises:
        PaymentGatewayUnavailableError: It is longer than any answer of Paystack's, or comes in
            drops, each of which would be in time.
    """
    content = bytearray()
    # What has come, not a whole piece: every drop would begin the wait for one anew.
    while piece := response.raw.read1(_PIECE_BYTES, decode_content=True):
        content += piece
        if time.monotonic() > deadline:
            raise PaymentGatewayUnavailableError("Paystack did not answer in time.")
        if len(content) > MAX_ANSWER_BYTES:
            raise PaymentGatewayUnavailableError("Paystack's answer is too long.")
    return bytes(content)
