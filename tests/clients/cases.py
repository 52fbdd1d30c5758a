"""What each SDK is asked for, and what becomes of it."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from fpdf import FPDF

from sandbox.litellm.completion import GREETING

PLACE = {"city": "example"}
"""What the stand-in makes of the schema of a place."""

GIVEN_UP_AFTER = "token 4"
TOKENS_OF_A_LONG_STREAM = 2_000

# A blue square of 64 by 64 pixels.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsItiVKMZzQi+hcEKLNXzWgQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgtKuwFL1RdEugAAAABJRU5ErkJggg=="
)


def a_document() -> bytes:
    """Make a PDF of one page."""
    document = FPDF()
    document.add_page()
    document.set_font("Helvetica")
    document.cell(text="A page.")
    return bytes(document.output())


DOCUMENT = a_document()


@dataclass(frozen=True)
class Case:
    """One thing to ask for.

    Attributes:
        order: What the model server is to do.
        credits_: What the caller has.
        answer: What the client says in the end; None where a test knows better.
        revoked: Whether the key is revoked before.
    """

    name: str
    order: str = ""
    credits_: str = "200"
    answer: tuple[object, ...] = ()
    revoked: bool = False


ANSWERED = {
    case.name: case
    for case in (
        Case("plain", answer=(GREETING,)),
        # A client may know objects alone.
        Case("streamed", answer=(GREETING, PLACE)),
        Case("tools", answer=("weather",)),
        Case("structured", answer=(PLACE,)),
        Case("images", answer=(GREETING, PLACE)),
        # Some ask for 64,000 tokens, whose hold leaves too little of 200 for a page.
        Case("documents", credits_="500", answer=(GREETING, PLACE)),
        Case("embeddings", answer=(2,)),
        Case("made_images", answer=(1,)),
        Case("speech", answer=(True,)),
    )
}
CANCELLED = Case("cancelled", f"[[sim tokens={TOKENS_OF_A_LONG_STREAM} delay_ms=25]]")
REFUSED = {
    case.name: case
    for case in (Case("out_of_credits", credits_="0.001"), Case("revoked", revoked=True))
}
FAILED = {
    case.name: case
    for case in (
        Case("upstream_429", "[[sim status=429 retry_after=1]]"),
        Case("upstream_500", "[[sim status=500]]"),
    )
}
CASES = {**ANSWERED, "cancelled": CANCELLED, **REFUSED, **FAILED}
