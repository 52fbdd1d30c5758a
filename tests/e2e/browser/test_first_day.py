"""A person's first day: sign up, pay, make a key, call, and see what it cost."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import openai
import pytest
from playwright.sync_api import Page, expect

from creditcore import Credits, PurchaseState
from tests.e2e.browser.conftest import OpenPage
from tests.e2e.buyer import Buyer, a_buyer
from tests.stack import Stack
from tests.visitors import PASSWORD

BALANCE = ".balance__amount"
RETURNED = ".returned"


@pytest.fixture
def buyer(sqlite_stack: Stack) -> Iterator[Buyer]:
    with a_buyer(sqlite_stack) as buyer:
        yield buyer


@pytest.fixture
def page(open_page: OpenPage, buyer: Buyer) -> Page:
    """A window in which the buyer is signed in."""
    return open_page(visitor=buyer, viewport={"width": 1280, "height": 800})


def choose_ten_dollars(page: Page, stack: Stack) -> None:
    page.goto(f"{stack.base_url}/dashboard/billing")
    ten = page.get_by_role("radio", name=re.compile(r"^\s*\$10\.00"))
    page.locator(f"label[for={ten.get_attribute('id')}]").click()
    expect(ten).to_be_checked()


def check_out(page: Page, stack: Stack) -> None:
    """Choose $10 and arrive on Paystack's page."""
    choose_ten_dollars(page, stack)
    page.get_by_role("button", name="Continue to Paystack").click()
    expect(page.locator("#amount")).to_have_text("$10.00")


def payments(page: Page) -> list[str]:
    """Return the rows of the list of payments, of which there is one at least."""
    expect(page.locator("[aria-labelledby=payments] tbody tr").first).to_be_visible()
    return page.locator("[aria-labelledby=payments] tbody tr").all_inner_texts()


def create_key(page: Page, stack: Stack, name: str) -> str:
    """Make a key and return the secret that the page shows."""
    page.goto(f"{stack.base_url}/dashboard/keys")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create key").click()
    return page.locator("#new-secret").inner_text().strip()


def test_reloading_a_new_key_makes_no_other(buyer: Buyer, page: Page) -> None:
    secret = create_key(page, buyer.stack, "Reloaded")

    page.reload()

    expect(page.get_by_role("link", name="This key was made already")).to_be_visible()
    assert secret not in page.content()
    rows = page.locator("[aria-labelledby=keys] tbody tr")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Create key").click()
    expect(rows).to_have_count(1)


def test_a_newcomer_pays_and_spends(sqlite_stack: Stack, open_page: OpenPage) -> None:
    here = sqlite_stack.base_url
    page = open_page(viewport={"width": 1280, "height": 800})

    # Signing up brings welcome credits.
    page.goto(here)
    page.get_by_role("link", name="Get a key").click()
    email = f"{uuid.uuid4().hex}@example.com"
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(f"{here}/dashboard")
    expect(page.locator(BALANCE)).to_have_text("$2.00")

    # $10 buy $20 of credit.
    check_out(page, sqlite_stack)
    page.locator("#pay").click()
    expect(page).to_have_url(re.compile("/dashboard/billing"))
    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")
    [payment] = payments(page)
    assert re.search(r"\bPaid\b", payment)
    assert "$10.00" in payment
    page.goto(f"{here}/dashboard")
    expect(page.locator(BALANCE)).to_have_text("$22.00")

    # A key is shown once.
    secret = create_key(page, sqlite_stack, "My first key")
    assert re.fullmatch(r"sk-cc-[0-9A-Za-z]{38}", secret)
    page.goto(f"{here}/dashboard/keys")
    expect(page.get_by_text("My first key").first).to_be_visible()
    assert secret not in page.content()

    # A call works, and its exact cost is on the dashboard.
    with openai.OpenAI(base_url=f"{here}/v1", api_key=secret, max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="demo-chat",
            messages=[{"role": "user", "content": "[[sim tokens=100 prompt=50]]"}],
        )
        cost = Credits.parse(raw.headers["x-credits-cost"])
        assert cost == Credits.parse("0.09")  # 50 x 0.0002 + 100 x 0.0008

        # The charge commits just after the answer, and a page shows what was true when asked for.
        with sqlite_stack.store.begin() as tx:
            person = tx.people.find_by_email(email)
        assert person
        sqlite_stack.settled_wallet_of(person.id)
        page.goto(f"{here}/dashboard")
        call = page.locator("[aria-labelledby=calls] tbody tr")
        expect(call).to_have_count(1)
        expect(call).to_contain_text("demo-chat")
        expect(call).to_contain_text("$0.0009")
        expect(call).to_contain_text("50 / 0 / 100")
        expect(page.locator(BALANCE)).to_have_text("$21.99")
        expect(page.locator(".balance")).to_contain_text("2,199.91")

        # Revoked, it opens nothing any more.
        page.goto(f"{here}/dashboard/keys")
        page.get_by_label("Revoke My first key").click()
        page.get_by_role("button", name="Revoke this key").click()
        page.get_by_role("link", name="Show revoked (1)").click()
        expect(page.locator("[aria-labelledby=keys] tbody tr")).to_contain_text("Revoked")
        with pytest.raises(openai.AuthenticationError):
            client.chat.completions.create(
                model="demo-chat", messages=[{"role": "user", "content": "Hi"}]
            )


def test_a_declined_card_can_be_tried_again(buyer: Buyer, page: Page) -> None:
    check_out(page, buyer.stack)

    page.locator("#decline").click()
    expect(page.locator("#message")).to_contain_text("declined")
    page.locator("#pay").click()

    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")
    [purchase] = buyer.purchases()
    buyer.assert_credited_once(purchase.reference)


def test_a_failed_payment_says_so_and_another_one_works(buyer: Buyer, page: Page) -> None:
    check_out(page, buyer.stack)

    page.locator("#decline").click()
    page.locator("#decline").click()
    expect(page.locator(RETURNED)).to_contain_text("did not go through")
    buyer.assert_not_credited()
    page.get_by_role("link", name="Try again").click()
    check_out(page, buyer.stack)
    page.locator("#pay").click()

    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")
    second, first = buyer.purchases()
    assert first.state is PurchaseState.FAILED
    buyer.assert_credited_once(second.reference)


def test_a_cancelled_payment_stays_open_and_can_be_continued(buyer: Buyer, page: Page) -> None:
    check_out(page, buyer.stack)

    page.locator("#cancel").click()
    expect(page).to_have_url(f"{buyer.stack.base_url}/dashboard/billing")
    expect(page.get_by_text("nothing was charged")).to_be_visible()
    [waiting] = payments(page)
    page.get_by_role("link", name="Continue to payment").click()
    page.locator("#pay").click()

    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")
    assert "Waiting for payment" in waiting
    [purchase] = buyer.purchases()
    buyer.assert_credited_once(purchase.reference)


def test_an_impatient_finger_buys_once(buyer: Buyer, page: Page) -> None:
    choose_ten_dollars(page, buyer.stack)

    page.get_by_role("button", name="Continue to Paystack").dblclick()
    expect(page.locator("#amount")).to_have_text("$10.00")
    page.locator("#pay").click()
    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")

    [purchase] = buyer.purchases()
    buyer.assert_credited_once(purchase.reference)


def test_two_checkouts_of_which_one_is_paid_credit_once(
    buyer: Buyer, page: Page, open_page: OpenPage
) -> None:
    other = open_page(visitor=buyer, java_script_enabled=False)
    check_out(other, buyer.stack)
    check_out(page, buyer.stack)

    page.locator("#pay").click()
    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")

    paid, waiting = buyer.purchases()
    assert waiting.state is PurchaseState.PENDING
    buyer.assert_credited_once(paid.reference)


def test_reloading_after_the_return_credits_nothing_more(buyer: Buyer, page: Page) -> None:
    check_out(page, buyer.stack)
    page.locator("#pay").click()
    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")
    [purchase] = buyer.purchases()

    page.reload()
    page.goto(f"{buyer.stack.base_url}/payments/paystack?trxref={purchase.reference}")
    page.go_back()
    page.go_forward()

    expect(page.locator(RETURNED)).to_contain_text("$20.00 added")
    buyer.assert_credited_once(purchase.reference)


@pytest.mark.parametrize("tag", ["underpay", "wrongcurrency"])
def test_a_payment_that_does_not_match_is_under_review(
    sqlite_stack: Stack, open_page: OpenPage, tag: str
) -> None:
    with a_buyer(sqlite_stack, tags=f"+{tag}") as buyer:
        page = open_page(visitor=buyer)
        check_out(page, sqlite_stack)

        page.locator("#pay").click()
        expect(page.locator(RETURNED)).to_contain_text("We need to look at your payment")
        [payment] = payments(page)
        page.goto(f"{sqlite_stack.base_url}/dashboard")

        assert "Under review" in payment
        expect(page.locator(BALANCE)).to_have_text("$2.00")
        buyer.assert_not_credited()
