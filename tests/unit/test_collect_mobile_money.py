"""A phone is asked once, and its payment followed to an end that somebody knows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from creditcore import (
    CollectMobileMoney,
    ConfirmPayment,
    ConvertCurrency,
    Credits,
    ExchangeRate,
    FixedRates,
    MobilePayer,
    Money,
    Payment,
    PaymentStatus,
    PollPayments,
    Purchase,
    PurchaseState,
    SaleTerms,
    SellCredits,
)
from creditcore.domain.errors import (
    NothingAskedError,
    PaymentGatewayUnavailableError,
    PaymentRejectedError,
    PurchaseNotFoundError,
)
from creditcore.domain.payer_details import PayerAnswer, PayerDetail
from creditcore.domain.people import Person
from creditcore.ports.payments import MobileCharge, MobileChargeRequest
from creditcore.testing.contracts import NOON, a_wallet, at_once
from creditcore.testing.memory import (
    FixedClock,
    MemoryPaymentGateway,
    MemoryTransactions,
    SequentialIds,
)

SECOND = timedelta(seconds=1)
PHONE = MobilePayer("mpesa", "+254710000000")
CODE = PayerAnswer(PayerDetail.OTP, {"otp": "K7Q2Z9"})
WANTS_CODE = MobileCharge(
    status=PaymentStatus.PENDING, message="Dial *110#", asks_for=PayerDetail.OTP
)
FIVE_HUNDRED = Money(50_000, "KES")


@dataclass
class Provider(MemoryPaymentGateway):
    """A payment provider that may be away, and notes when it is asked."""

    away: bool = False
    refuses: bool = False
    takes_no_answers: bool = False
    asked: list[str] = field(default_factory=list)

    def charge_mobile(self, request: MobileChargeRequest) -> MobileCharge:
        answer = super().charge_mobile(request)
        if self.refuses:
            raise PaymentRejectedError("Invalid phone number")
        if self.away:
            raise PaymentGatewayUnavailableError("Nobody answers.")
        return answer

    def submit_detail(self, reference: str, answer: PayerAnswer) -> MobileCharge:
        told = super().submit_detail(reference, answer)
        if self.away:
            raise PaymentGatewayUnavailableError("Nobody answers.")
        if self.takes_no_answers:
            raise PaymentRejectedError("Give six digits")
        return told

    def verify(self, reference: str) -> Payment | None:
        self.asked.append(reference)
        if self.away:
            raise PaymentGatewayUnavailableError("Nobody answers.")
        return super().verify(reference)


@dataclass
class Shop:
    store: MemoryTransactions
    gateway: Provider
    clock: FixedClock
    mobile: CollectMobileMoney
    poller: PollPayments
    buyer: Person

    def start(self, *, attempt: str = "", payer: MobilePayer = PHONE) -> Purchase:
        offer = self.mobile.sales.offer_for(FIVE_HUNDRED)
        return self.mobile.start(self.buyer, offer, payer, attempt=attempt)

    def report(self, purchase: Purchase, status: PaymentStatus, message: str = "") -> None:
        self.gateway.payments[purchase.reference] = Payment(
            reference=purchase.reference, status=status, amount=FIVE_HUNDRED, message=message
        )

    def asking_for_a_code(self) -> Purchase:
        self.gateway.charge_answer = WANTS_CODE
        return self.start()

    def answer(self, purchase: Purchase) -> Purchase:
        return self.mobile.answer(self.buyer.id, purchase.reference, CODE)

    def check(self, purchase: Purchase) -> Purchase:
        return self.mobile.check(self.buyer.id, purchase.reference)

    @property
    def posted(self) -> Credits:
        return self.store.committed.wallets["wallet-1"].posted


@pytest.fixture
def shop() -> Shop:
    store, gateway, clock = MemoryTransactions(), Provider(), FixedClock(NOON)
    wallet = a_wallet(store)
    payments = ConfirmPayment(transactions=store, gateway=gateway, clock=clock)
    sales = SellCredits(
        transactions=store,
        gateway=gateway,
        payments=payments,
        converter=ConvertCurrency(rates=FixedRates((ExchangeRate(129, 1, "USD", "KES"),))),
        clock=clock,
        ids=SequentialIds(),
        terms=SaleTerms(currencies=("USD", "KES")),
    )
    mobile = CollectMobileMoney(
        transactions=store, gateway=gateway, sales=sales, payments=payments, clock=clock
    )
    poller = PollPayments(transactions=store, payments=payments, clock=clock)
    buyer = Person(id=wallet.owner_id, email="amina@example.com", created_at=NOON)
    return Shop(store, gateway, clock, mobile, poller, buyer)


# -- asking ------------------------------------------------------------------------------------


def test_the_phone_is_asked_for_the_price_after_it_was_stored(shop: Shop) -> None:
    purchase = shop.start()

    assert shop.gateway.charges == {
        purchase.reference: MobileChargeRequest(
            reference=purchase.reference,
            amount=FIVE_HUNDRED,
            email="amina@example.com",
            network="mpesa",
            phone="+254710000000",
        )
    }
    assert purchase.state is PurchaseState.PENDING
    assert purchase.display_text == "Look at your phone."
    assert purchase.payer == PHONE


def test_a_double_click_asks_the_phone_once(shop: Shop) -> None:
    assert shop.start(attempt="form-1").reference == shop.start(attempt="form-1").reference
    assert len(shop.gateway.charges) == 1


def test_another_phone_is_another_attempt(shop: Shop) -> None:
    shop.start(attempt="form-1")
    shop.start(attempt="form-1", payer=MobilePayer("mpesa", "+254710000001"))

    assert len(shop.gateway.charges) == 2


def test_a_charge_without_an_answer_is_pending_and_never_sent_again(shop: Shop) -> None:
    shop.gateway.away = True
    purchase = shop.start(attempt="form-1")
    shop.start(attempt="form-1")

    assert purchase.state is PurchaseState.PENDING
    assert len(shop.gateway.charges) == 1


def test_a_refused_charge_has_failed(shop: Shop) -> None:
    shop.gateway.refuses = True

    with pytest.raises(PaymentRejectedError):
        shop.start()

    [purchase] = shop.store.committed.purchases.values()
    assert purchase.state is PurchaseState.FAILED
    assert purchase.review_reason == "Invalid phone number"


def test_a_charge_that_fails_at_once_says_why(shop: Shop) -> None:
    shop.gateway.charge_answer = MobileCharge(status=PaymentStatus.FAILED, message="Declined")

    purchase = shop.start()

    assert (purchase.state, purchase.review_reason) == (PurchaseState.FAILED, "Declined")


def test_a_charge_that_claims_success_is_verified_first(shop: Shop) -> None:
    shop.gateway.charge_answer = MobileCharge(status=PaymentStatus.SUCCEEDED, message="")

    purchase = shop.start()

    assert shop.gateway.asked == [purchase.reference]
    assert purchase.state is PurchaseState.PENDING
    assert shop.posted == Credits.of(0)


# -- following ---------------------------------------------------------------------------------


def test_the_provider_is_not_asked_before_ten_seconds_are_over(shop: Shop) -> None:
    purchase = shop.start()
    shop.report(purchase, PaymentStatus.SUCCEEDED)

    shop.clock.advance(10 * SECOND - SECOND / 1000)
    shop.check(purchase)
    shop.poller.confirm_pending()
    early = list(shop.gateway.asked)
    shop.clock.advance(SECOND / 1000)

    assert early == []
    assert shop.check(purchase).state is PurchaseState.PAID


def test_many_pages_ask_every_five_seconds_together(shop: Shop) -> None:
    purchase = shop.start()
    shop.report(purchase, PaymentStatus.PENDING)
    shop.clock.advance(10 * SECOND)
    for _ in range(10):
        for _ in range(7):
            shop.check(purchase)
        shop.clock.advance(SECOND)

    assert len(shop.gateway.asked) == 2


def test_pages_that_ask_at_once_ask_once(shop: Shop) -> None:
    purchase = shop.start()
    shop.report(purchase, PaymentStatus.PENDING)
    shop.clock.advance(10 * SECOND)

    at_once(8, lambda _: shop.check(purchase))

    assert len(shop.gateway.asked) == 1


@pytest.mark.parametrize("seconds", [10, 100, 179, 180, 1_000, 100_000])
def test_what_is_unknown_is_never_called_failed(shop: Shop, seconds: int) -> None:
    purchase = shop.start()
    shop.report(purchase, PaymentStatus.PENDING)
    shop.clock.advance(seconds * SECOND)
    undecided = shop.check(purchase)
    shop.gateway.away = True
    shop.clock.advance(10 * SECOND)
    unknown = shop.check(purchase)

    assert undecided.state is unknown.state is PurchaseState.PENDING


def test_what_the_provider_never_received_fails_after_the_payers_time(shop: Shop) -> None:
    purchase = shop.start()

    shop.clock.advance(179 * SECOND)
    before = shop.check(purchase)
    shop.clock.advance(6 * SECOND)
    after = shop.check(purchase)

    assert before.state is PurchaseState.PENDING
    assert (after.state, after.review_reason) == (
        PurchaseState.FAILED,
        "The request was never received.",
    )


def test_a_failure_keeps_the_providers_words(shop: Shop) -> None:
    purchase = shop.start()
    shop.report(purchase, PaymentStatus.FAILED, "Request cancelled by user")
    shop.clock.advance(10 * SECOND)

    failed = shop.check(purchase)

    assert (failed.state, failed.review_reason) == (
        PurchaseState.FAILED,
        "Request cancelled by user",
    )


def test_money_that_comes_after_a_failure_is_credited_once(shop: Shop) -> None:
    purchase = shop.start()
    shop.report(purchase, PaymentStatus.FAILED, "timeout")
    shop.clock.advance(200 * SECOND)
    shop.check(purchase)
    shop.report(purchase, PaymentStatus.SUCCEEDED)

    for _ in range(2):
        assert shop.mobile.payments.confirm(purchase.reference).state is PurchaseState.PAID

    assert shop.posted == purchase.offer.credits


def test_a_payment_is_its_buyers_alone(shop: Shop) -> None:
    purchase = shop.start()
    shop.clock.advance(60 * SECOND)
    with pytest.raises(PurchaseNotFoundError):
        shop.mobile.check("somebody else", purchase.reference)

    assert shop.gateway.asked == []


# -- what the payer types ----------------------------------------------------------------------


def test_a_code_is_asked_for_and_passed_on(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    told = shop.answer(purchase)

    assert (purchase.asks_for, purchase.display_text) == (PayerDetail.OTP, "Dial *110#")
    assert shop.gateway.answers == [(purchase.reference, CODE)]
    assert (told.asks_for, told.display_text) == (None, "Look at your phone.")


def test_what_was_typed_is_stored_nowhere(shop: Shop) -> None:
    shop.answer(shop.asking_for_a_code())

    assert "K7Q2Z9" not in repr(shop.store.committed)
    assert "K7Q2Z9" not in repr(CODE)


def test_of_many_answers_at_once_one_is_passed_on(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()

    def answer(_: int) -> object:
        try:
            return shop.answer(purchase)
        except NothingAskedError as error:
            return error

    at_once(8, answer)

    assert len(shop.gateway.answers) == 1


def test_a_code_may_be_asked_for_again(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    shop.gateway.submit_answer = WANTS_CODE
    again = shop.answer(purchase)
    shop.gateway.takes_no_answers = True
    refused = shop.answer(again)

    assert again.asks_for is refused.asks_for is PayerDetail.OTP
    assert refused.display_text == "Give six digits"


def test_a_wrong_code_may_end_the_payment(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    shop.gateway.submit_answer = MobileCharge(status=PaymentStatus.FAILED, message="Invalid OTP")

    failed = shop.answer(purchase)

    assert (failed.state, failed.review_reason) == (PurchaseState.FAILED, "Invalid OTP")
    assert failed.asks_for is None


def test_a_code_that_claims_success_is_verified_first(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    shop.gateway.submit_answer = MobileCharge(status=PaymentStatus.SUCCEEDED, message="")
    pending = shop.answer(purchase)
    shop.report(purchase, PaymentStatus.SUCCEEDED)
    shop.clock.advance(10 * SECOND)

    assert pending.state is PurchaseState.PENDING
    assert shop.check(purchase).state is PurchaseState.PAID


def test_an_answer_that_got_lost_is_not_sent_again_but_what_is_wanted_is_asked(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    shop.gateway.away = True
    lost = shop.answer(purchase)
    with pytest.raises(NothingAskedError):
        shop.answer(purchase)
    shop.gateway.away, shop.gateway.submit_answer = False, WANTS_CODE
    shop.clock.advance(10 * SECOND)

    assert (lost.state, lost.asks_for) == (PurchaseState.PENDING, None)
    assert shop.check(purchase).asks_for is PayerDetail.OTP
    assert len(shop.gateway.answers) == 1


def test_a_page_that_hears_the_question_again_does_not_outlast_the_answer(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    purchase = shop.asking_for_a_code()
    shop.report(purchase, PaymentStatus.PENDING)
    rings = MobileCharge(status=PaymentStatus.PENDING, message="Type your PIN")

    def slowly(_gateway: Provider, _reference: str, _answer: PayerAnswer) -> MobileCharge:
        shop.gateway.submit_answer = WANTS_CODE
        shop.clock.advance(10 * SECOND)
        assert shop.check(purchase).asks_for is PayerDetail.OTP
        return rings

    monkeypatch.setattr(Provider, "submit_detail", slowly)

    told = shop.answer(purchase)

    assert (told.asks_for, told.display_text) == (None, "Type your PIN")


def test_a_lost_charge_still_finds_out_that_a_code_is_wanted(shop: Shop) -> None:
    shop.gateway.away, shop.gateway.charge_answer = True, WANTS_CODE
    purchase = shop.start()
    shop.gateway.away = False
    shop.clock.advance(10 * SECOND)

    assert purchase.asks_for is None
    assert shop.check(purchase).asks_for is PayerDetail.OTP


def test_nothing_is_passed_on_that_is_not_asked_for(shop: Shop) -> None:
    not_asked, asked = shop.start(), shop.asking_for_a_code()
    shop.report(asked, PaymentStatus.FAILED)
    shop.mobile.payments.confirm(asked.reference)
    for purchase in (not_asked, asked):
        with pytest.raises(NothingAskedError):
            shop.answer(purchase)

    assert shop.gateway.answers == []


def test_a_code_is_taken_as_long_as_the_price_holds(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    shop.clock.advance(purchase.expires_at - NOON - SECOND)
    in_time = purchase.awaits_detail(shop.clock.now())
    shop.clock.advance(SECOND)
    with pytest.raises(NothingAskedError):
        shop.answer(purchase)

    assert in_time is PayerDetail.OTP
    assert shop.gateway.answers == []


def test_a_code_is_taken_from_the_buyer_alone(shop: Shop) -> None:
    purchase = shop.asking_for_a_code()
    with pytest.raises(PurchaseNotFoundError):
        shop.mobile.answer("another-owner", purchase.reference, CODE)

    assert shop.gateway.answers == []
