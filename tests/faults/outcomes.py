"""What a call of the sandbox costs, and how it was settled in the end."""

from __future__ import annotations

from creditcore import Basis, Credits, Hold, HoldState
from tests.faults.wire import Seen, call, chat_body
from tests.stack import Account, Stack, wait_until

FUNDED = Credits.of(200)
# demo-chat costs 1 and 4 USD per million tokens; credits are 200 per USD of cost.
PROMPT_TOKEN = 200
OUTPUT_TOKEN = 800
CLIENT_LEFT = 499


def price(prompt_tokens: int, output_tokens: int) -> Credits:
    return Credits(prompt_tokens * PROMPT_TOKEN + output_tokens * OUTPUT_TOKEN)


HI_COSTS = price(11, 3)
"""What ``[[sim tokens=3 prompt=11]]`` costs."""


def estimated(prompt: str) -> int:
    """Tokens of a prompt that no provider counted: four bytes each."""
    return -(-len(prompt) // 4)


def counted(tokens: int) -> int:
    """Tokens that we count in the first ``tokens`` of the sandbox: four bytes each."""
    text = "".join(f"{' ' if number else ''}token {number}" for number in range(tokens))
    return max(tokens, -(-len(text) // 4))


def stream(stack: Stack, account: Account, order: str, **fields: object) -> Seen:
    return call(stack.base_url, chat_body(order, stream=True, **fields), key=account.api_key)


def document(stack: Stack, account: Account, order: str, **fields: object) -> Seen:
    return call(stack.base_url, chat_body(order, **fields), key=account.api_key)


def closed_hold(stack: Stack, account: Account) -> Hold:
    """Return the only hold of an account once it is closed."""

    def closed() -> Hold | None:
        holds: list[Hold] = stack.calls_of(account)
        assert len(holds) <= 1
        return holds[0] if holds and not holds[0].is_open else None

    hold = wait_until(closed)
    assert hold is not None
    return hold


def expect_charge(stack: Stack, account: Account, basis: Basis, charged: Credits) -> Hold:
    """Assert how the only call of an account was settled, and that its wallet agrees."""
    hold = closed_hold(stack, account)
    assert (hold.state, hold.outcome.basis) == (HoldState.SETTLED, basis)
    assert hold.charged == charged
    wallet = stack.wallet_of(account.person_id)
    assert (wallet.posted, wallet.available) == (FUNDED - charged, FUNDED - charged)
    return hold


def expect_release(stack: Stack, account: Account) -> Hold:
    """Assert that the only call of an account cost nothing."""
    hold = closed_hold(stack, account)
    assert (hold.state, hold.charged) == (HoldState.RELEASED, Credits(0))
    assert stack.wallet_of(account.person_id).available == FUNDED
    return hold


def upstream_call(stack: Stack, call_id: str) -> dict[str, object]:
    found: list[dict[str, object]] = stack.upstream(call_id=call_id)["calls"]
    return found[0] if found else {}


def expect_upstream_closed(stack: Stack, call_id: str) -> dict[str, object]:
    """Wait until the model server sees that its caller is gone."""

    def ended() -> dict[str, object]:
        seen = upstream_call(stack, call_id)
        return seen if seen.get("ended_at") else {}

    return wait_until(ended)
