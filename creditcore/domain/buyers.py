"""What a buyer wants to stand on receipts beside their name: a business's particulars."""

from __future__ import annotations

from dataclasses import dataclass

from creditcore.domain.errors import InvalidRequestError

MAX_COMPANY_LENGTH = 120
MAX_ADDRESS_LENGTH = 200
MAX_TAX_NUMBER_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyerDetails:
    """Each may be empty, and is printed as it was typed: no authority is asked about it.

    Attributes:
        tax_number: The number of the buyer's tax registration, such as a Kenyan PIN.
    """

    company: str = ""
    address: str = ""
    tax_number: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was given."""
        return not (self.company or self.address or self.tax_number)


def clean_buyer(*, company: str, address: str, tax_number: str) -> BuyerDetails:
    """Return a buyer's details in the one form that is stored: each is one line.

    Raises:
        InvalidRequestError: One is too long, or has characters that cannot be printed; its field
            is named.
    """
    return BuyerDetails(
        company=_line(company, MAX_COMPANY_LENGTH, "company", "A company's name"),
        address=_line(address, MAX_ADDRESS_LENGTH, "address", "An address"),
        tax_number=_line(tax_number, MAX_TAX_NUMBER_LENGTH, "tax_number", "A tax number"),
    )


def _line(text: str, longest: int, param: str, what: str) -> str:
    line = " ".join(text.split())
    if len(line) > longest or not line.isprintable():
        raise InvalidRequestError(
            f"{what} has at most {longest} characters, all of which can be printed.", param=param
        )
    return line
