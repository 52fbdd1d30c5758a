"""Phones that are asked to pay, and what each test number answers.

=================  =============================================================================
+254 710 000 000   pays (Paystack's own test number)
+254 710 000 001   the owner cancels
+254 710 000 002   nobody answers, until the time is over
+254 710 000 003   the PIN is wrong
+254 710 000 004   there is too little money
+254 710 000 005   another payment is open on the phone
+254 710 000 006   never decided, as when the network loses it
+254 710 000 007   pays, and the charge begins as ``pending``
+254 710 000 008   pays at once: the charge is answered with ``success``
+254 710 000 009   fails at once, in an answer with HTTP 200
+254 710 000 010   the network says what no table knows
+254 710 000 011   the network is busy
+254 710 000 012   pays, after the code 123456 was typed on a page; another code ends it
+254 710 000 013   pays, after that code; another one is asked for again
+254 710 000 014   pays, after a date of birth, then that code
+254 710 000 015   pays, after a phone number, then an address
+254 710 000 016   pays on a page of the network's
+254 710 000 017   asks for a PIN on a page
+254 710 000 018   refused before it is asked, in an answer with HTTP 400
=================  =============================================================================

Numbers of other countries end alike; Ghana's own one is 055 123 4987. Any other number waits for
somebody who decides on the control page, until the time is over. A number too short fails at once.
Telecel of Ghana and Orange of the Ivory Coast want a code of every phone: 123456; 1234 of Orange's
test number 07 00 00 00 00.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

Step = Literal["otp", "phone", "birthday", "address", "pin", "page"]
Outcome = Literal["success", "failed", "nobody", "timeout", "never"]

DISPLAY_TEXT = "Please complete authorization process on your mobile phone"

SHORTEST = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone does.

    Attributes:
        outcome: How the charge ends: ``nobody`` waits for a person, ``never`` for ever.
        message: What Paystack says about a failure.
        first_status: ``data.status`` of the answer to the charge; ``refused`` makes none.
        steps: What the payer has to type first, one after the other.
        is_patient: Whether a wrong code is asked for again instead of ending the charge.
    """

    outcome: Outcome
    message: str = ""
    first_status: str = "pay_offline"
    steps: tuple[Step, ...] = ()
    is_patient: bool = False


_NO_ANSWER = "DS timeout user cannot be reached"
_ANSWERS = {
    "000": Answer("success"),
    "001": Answer("failed", "Request cancelled by user"),
    "002": Answer("timeout", _NO_ANSWER),
    "003": Answer("failed", "The initiator information is invalid."),
    "004": Answer("failed", "The balance is insufficient for the transaction."),
    "005": Answer(
        "failed",
        "Unable to lock subscriber, a transaction is already in process for the current subscriber",
    ),
    "006": Answer("never"),
    "007": Answer("success", first_status="pending"),
    "008": Answer("success", first_status="success"),
    "009": Answer("failed", "Declined", first_status="failed"),
    "010": Answer("failed", "Rule 77 of the agent applies"),
    "011": Answer("failed", "M-PESA system is busy, try again later"),
    "012": Answer("success", steps=("otp",)),
    "013": Answer("success", steps=("otp",), is_patient=True),
    "014": Answer("success", steps=("birthday", "otp")),
    "015": Answer("success", steps=("phone", "address")),
    "016": Answer("success", steps=("page",)),
    "017": Answer("never", steps=("pin",)),
    "018": Answer("failed", "Please enter a valid phone number", first_status="refused"),
}
_TEST_NUMBERS = ("+254710000", "+233550000", "+225070000")
_OF_GHANA = "0551234987"
_OF_IVORY_COAST = "+2250700000000"
_WITH_CODES = frozenset({("GHS", "vod"), ("XOF", "orange")})
CODE = "123456"
_ORANGE_CODE = "1234"


_STEP_WORDS: dict[Step, str] = {
    "otp": f"wants the code {CODE}",
    "phone": "wants a phone number",
    "birthday": "wants a date of birth",
    "address": "wants an address",
    "pin": "wants a PIN on a page",
    "page": "goes on on a page of its own",
}


def answers_listed() -> tuple[tuple[str, str], ...]:
    """Return each test number, and in words what its owner does."""
    return tuple((f"0710 000 {ending}", _in_words(answer)) for ending, answer in _ANSWERS.items())


def _in_words(answer: Answer) -> str:
    ends = {"success": "pays", "never": "never decided", "timeout": "the payer never answers"}
    again = ["a wrong one is asked for again"] if answer.is_patient else []
    steps = [*(_STEP_WORDS[step] for step in answer.steps), *again]
    return ", then ".join([*steps, answer.message or ends[answer.outcome]])


def code_of(phone: str) -> str:
    """Return the code that a phone shows its owner."""
    return _ORANGE_CODE if phone == _OF_IVORY_COAST else CODE


def answer_of(phone: str, currency: str = "", provider: str = "") -> Answer:
    """Return what a phone does when it is asked to pay."""
    answer = _answer_of(phone)
    if (currency, provider) in _WITH_CODES and answer.first_status == "pay_offline":
        return replace(answer, steps=answer.steps or ("otp",))
    return answer


def _answer_of(phone: str) -> Answer:
    digits = phone.removeprefix("+")
    if not digits.isdigit() or len(digits) < SHORTEST:
        return Answer("failed", "Invalid phone number", first_status="failed")
    if phone.startswith(_TEST_NUMBERS) and digits[-3:] in _ANSWERS:
        return _ANSWERS[digits[-3:]]
    if phone == _OF_IVORY_COAST or digits.endswith((_OF_GHANA, _OF_GHANA.removeprefix("0"))):
        return _ANSWERS["000"]
    return Answer("nobody", _NO_ANSWER)


def receipt_number_of(reference: str) -> str:
    """Return the code that the network sends the payer, made to look like one of M-Pesa's."""
    return f"S{hashlib.sha256(reference.encode()).hexdigest()[:9].upper()}"
