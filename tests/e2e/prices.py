"""What calls of the sandbox's models cost."""

from __future__ import annotations

from creditcore import Credits

FUNDED = Credits.of(200)


def price(prompt_tokens: int, output_tokens: int) -> Credits:
    """Price demo-chat: 1 and 4 USD per million tokens, at 200 credits per USD of cost."""
    return Credits(prompt_tokens * 200 + output_tokens * 800)
