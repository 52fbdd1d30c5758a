"""What an answer used: the provider's count, and our own for what it leaves out."""

from __future__ import annotations

from dataclasses import replace

from creditcore.domain.pricing import Usage
from creditcore.domain.units import Unit
from creditcore.ports.inference import InferenceRequest, Meter

_CONTRADICTION = 5
_SLACK_TOKENS = 16


def filled(reported: Usage, request: InferenceRequest, meter: Meter, delivered: int) -> Usage:
    """Return reported counts, with our own for a side that is missing or fell behind.

    Where no side is, what was reported is returned itself.

    Args:
        reported: What the provider counted.
        request: Has an estimate of the prompt.
        meter: Knows whether the report counts everything that passed.
        delivered: Output tokens that the client got, counted roughly.
    """
    if request.sold_by is not None:
        # Its answer tells all that it is sold by, or nothing at all.
        return reported
    prompt, completion = reported.prompt_tokens, reported.completion_tokens
    if not completion or meter.is_outdated:
        completion = max(completion, delivered)
    if not prompt:
        prompt = request.prompt_estimate
    if (prompt, completion) == (reported.prompt_tokens, reported.completion_tokens):
        return reported
    return replace(reported, prompt_tokens=prompt, completion_tokens=completion)


def contradicts(usage: Usage, request: InferenceRequest, meter: Meter) -> bool:
    """Whether the text is far more than its count: how a stream looks that broke unseen.

    A token is some four bytes. Where each letter comes by itself, pieces are as many. A transcript
    that is sold by its time has no count of tokens.
    """
    if request.sold_by is Unit.MILLISECOND:
        return False
    return meter.delivered_tokens > _CONTRADICTION * usage.completion_tokens + _SLACK_TOKENS
