"""Every way a call can end, and what it then costs, as the billing page tells it."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.holds import Basis


@dataclass(frozen=True, slots=True)
class BillingCase:
    """One way a call can end.

    Attributes:
        bases: What its receipt may say that the charge was computed from, the likelier first;
            empty where there is no receipt.
    """

    happens: str
    charged: str
    bases: tuple[Basis, ...]


_REPORTED, _COUNTED, _NONE = Basis.PROVIDER_USAGE, Basis.COUNTED_OUTPUT, Basis.NONE

BILLING_CASES = (
    BillingCase(
        "The answer is complete",
        "What the provider counted, to the token.",
        (_REPORTED,),
    ),
    BillingCase(
        "The answer is complete, but the provider reports no usage that can be true",
        "The side that was reported, and our own count of the other: four bytes, or one piece, to "
        "the token.",
        (_COUNTED,),
    ),
    BillingCase(
        "The answer is empty",
        "What the provider counted; nothing if it reports no usage.",
        (_REPORTED, _NONE),
    ),
    BillingCase(
        "You close a stream early",
        "The input that the provider had reported, else our count of your prompt, and the text you "
        "got. Where the end is near we listen a little longer: if its usage still comes, that.",
        (_COUNTED, _REPORTED),
    ),
    BillingCase(
        "You close it before any text",
        "The same: the model was reading your prompt already. So it is with a call that is not "
        "streamed, unless it has an Idempotency-Key: then it goes on, and its answer is kept for "
        "you.",
        (_COUNTED, _REPORTED),
    ),
    BillingCase(
        "The stream breaks, or reports an error, after text has arrived",
        "What the provider reported of it, and our count of the rest: your prompt, the text you "
        "got.",
        (_COUNTED, _REPORTED),
    ),
    BillingCase(
        "The call fails before any text",
        "Nothing: all of the hold comes back. Only if the provider reports usage all the same, "
        "that.",
        (_NONE, _REPORTED),
    ),
    BillingCase(
        "The credits run out while a stream is running",
        "The prompt and the text you got, counted by us, or by the provider where its count came "
        "with them. It ends with reason “length”, before a token you could not pay for.",
        (_COUNTED, _REPORTED),
    ),
    BillingCase(
        "Our server stops in the middle of a call",
        "What had been told, or delivered up to a second before, counted by us where the provider "
        "had not. Where there was nothing yet, nothing: all of the hold comes back.",
        (_COUNTED, _REPORTED, _NONE),
    ),
    BillingCase(
        "The request is refused before it runs: bad input, a key that opens nothing, no such "
        "model, too few credits, a model server that is known to be down",
        "Nothing. It never reached a model, and nothing was set aside.",
        (),
    ),
)
"""In the order people meet them."""
