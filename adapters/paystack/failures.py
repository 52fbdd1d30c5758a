"""What the messages of failed payments mean.

Paystack hides the codes of the networks behind it and passes on a message, in its own words
or in those of M-Pesa (1032, 1037, 2001 and so on in Safaricom's terms). The words vary, so
telling parts of them are looked for, in this order. A message that nothing here fits is shown
as it came, and stays with its purchase, so that this table can grow.
"""

from __future__ import annotations

import re

from creditcore.ports.payments import FailureReason

_CODE = "(otp|token|voucher|code)"
_WRONG = "(wrong|invalid|incorrect|expired|not )"
_WRONG_CODE = rf"{_WRONG} {_CODE}|{_CODE} (you entered )?(is |was |has )?{_WRONG}"

_TABLE: tuple[tuple[str, FailureReason], ...] = (
    # 1001: another request is open on this phone.
    (
        r"unable to lock|already in process|another (transaction|session)",
        FailureReason.ANOTHER_SESSION,
    ),
    # 2001
    (
        r"wrong pin|invalid pin|incorrect pin|initiator information|wrong credentials",
        FailureReason.WRONG_PIN,
    ),
    (
        _WRONG_CODE,
        FailureReason.WRONG_CODE,
    ),
    # 1, and the sample of Paystack's reference check
    (
        r"insufficient|balance is (too low|not enough)|not enough (money|funds)",
        FailureReason.TOO_LITTLE_MONEY,
    ),
    # 1037 and 1019; "timeout" is Paystack's own status
    (
        r"time-?d? ?out|timeout|expired|cannot be reached|unreachable|no response",
        FailureReason.NO_ANSWER,
    ),
    # 1032
    (r"cancel", FailureReason.CANCELLED),
    (r"limit|exceed", FailureReason.OVER_LIMIT),
    (
        r"invalid (phone|mobile|msisdn|number)|not registered|unregistered|invalid .*phone",
        FailureReason.BAD_NUMBER,
    ),
    (
        r"valid (phone|mobile)|(phone|mobile|msisdn)( \w+)* (invalid|not valid|incorrect)",
        FailureReason.BAD_NUMBER,
    ),
    (r"invalid email", FailureReason.BAD_EMAIL),
    # 26 and 17
    (r"busy|system|internal error|try again later|temporarily", FailureReason.BUSY),
    (r"never (been )?(received|opened)", FailureReason.NEVER_SENT),
    (r"declin|denied|do not honou?r|not permitted", FailureReason.DECLINED),
)
_COMPILED = tuple((re.compile(words), reason) for words, reason in _TABLE)


def reason_of(message: str) -> FailureReason:
    """Return what a message means; ``OTHER`` where no line of the table fits."""
    text = message.lower()
    return next((reason for words, reason in _COMPILED if words.search(text)), FailureReason.OTHER)
