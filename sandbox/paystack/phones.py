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
=================  =============================================================================

Numbers of other countries end alike; Ghana's own one is 055 123 4987. Any other number waits for
somebody who decides on the control page, until the time is over. A number too short fails at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["success", "failed", "nobody", "timeout", "never"]

DISPLAY_TEXT = "Please complete authorization process on your mobile phone"

SHORTEST = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a phone does.

    Attributes:
        outcome: How the charge ends: ``nobody`` waits for a person, ``never`` for ever.
        message: What Paystack says about a failure.
        first_status: ``data.status`` of the answer to the charge.
    """

    outcome: Outcome
    message: str = ""
    first_status: str = "pay_offline"


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
}
_TEST_NUMBERS = ("+254710000", "+233550000", "+225070000")
_OF_GHANA = "0551234987"


def answers_listed() -> tuple[tuple[str, str], ...]:
    """Return each test number, and in words what its owner does."""
    words = {"success": "pays", "never": "never decided", "timeout": "nobody answers"}
    return tuple(
        (f"0710 000 {ending}", answer.message or words[answer.outcome])
        for ending, answer in _ANSWERS.items()
    )


def answer_of(phone: str) -> Answer:
    """Return what a phone does when it is asked to pay."""
    digits = phone.removeprefix("+")
    if not digits.isdigit() or len(digits) < SHORTEST:
        return Answer("failed", "Invalid phone number", first_status="failed")
    if phone.startswith(_TEST_NUMBERS) and digits[-3:] in _ANSWERS:
        return _ANSWERS[digits[-3:]]
    if digits.endswith((_OF_GHANA, _OF_GHANA.removeprefix("0"))):
        return _ANSWERS["000"]
    return Answer("nobody", _NO_ANSWER)
