"""One inference call, as the client protocol reads, writes and meters it.

``Wire`` speaks one client protocol; ``Upstream``, beside this, carries its bytes. Neither knows
credits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from creditcore.domain.errors import InvalidRequestError, UpstreamError
from creditcore.domain.pricing import ImageCount, Usage
from creditcore.domain.pricing.text_bound import PLAIN_TEXT, TextSize
from creditcore.domain.rates import Standing
from creditcore.domain.units import Extent, Unit
from creditcore.ports.prompt_counts import PromptText

_OPTION = 256
"""Characters that the value of an option has at most."""


@dataclass(frozen=True, slots=True)
class MediaBound:
    """Tokens that the images and documents of a prompt can never exceed.

    Attributes:
        most: On a model of which it is not known how it counts them.
        by_count: On one of which it is known.
    """

    most: int
    by_count: Mapping[ImageCount, int]

    @classmethod
    def on_any(cls, tokens: int) -> MediaBound:
        """Return the bound of what is as many tokens on every model."""
        return cls(tokens, dict.fromkeys(ImageCount, tokens))

    def tokens(self, features: frozenset[str]) -> int:
        """Return the bound on a model that has these features."""
        if not self.most:  # as for nearly every call
            return 0
        counts = (count for count in self.by_count if count in features)
        return max((self.by_count[count] for count in counts), default=self.most)

    def __add__(self, other: MediaBound) -> MediaBound:
        """Return the bound of both together."""
        sums = {count: tokens + other.by_count[count] for count, tokens in self.by_count.items()}
        return MediaBound(self.most + other.most, sums)


NO_MEDIA = MediaBound.on_any(0)


@dataclass(slots=True, kw_only=True)  # not frozen: that would take as long as all the reading
class InferenceRequest:
    """A request body, understood and cleaned; not to be changed.

    Attributes:
        model: The public model name.
        stream: Whether the answer is to be streamed.
        wants_usage: Whether the client asked for usage in the stream.
        prompt_bound: Tokens the prompt can never exceed; None if only the model's
            own limit bounds it (an image by address, for instance).
        media_bound: The part of it that stands for images and documents.
        text_size: What is known of the text in it beside its bytes, which make it fewer tokens.
        output_limit: Output tokens of one choice that the client allows; None if it
            left that open.
        choices: How many answers it wants.
        prompt_estimate: Tokens the prompt has, counted roughly, for a call that ends without usage.
        fields: The cleaned body, for the protocol itself; see ``forget_long_fields``.
        prompts: How many prompts it brings; the model's own limit bounds each of them.
        long_cache: Whether it may ask to keep some of the prompt in a cache for an hour.
        units: How many units it may come to, by what a model may be sold by; an error where
            it cannot be sold by that. What is missing, it has nothing to do with.
        sold_by: What its model is sold by besides tokens, known once the model is.
        body: What goes upstream where nothing of it changes, if that is known and short.
    """

    model: str
    stream: bool
    wants_usage: bool
    prompt_bound: int | None
    output_limit: int | None
    choices: int
    prompt_estimate: int
    fields: dict[str, Any] = field(repr=False)
    prompts: int = 1
    long_cache: bool = True
    units: Mapping[Unit, Extent | InvalidRequestError] = field(default_factory=dict, repr=False)
    sold_by: Unit | None = None
    media_bound: MediaBound = NO_MEDIA
    text_size: TextSize = PLAIN_TEXT
    body: bytes | None = field(default=None, repr=False)

    def forget_long_fields(self) -> None:
        """Let go of what has been written into the upstream's body: it may be megabytes.

        Options that an answer is read by, plain values all of them, stay.
        """
        for name, value in list(self.fields.items()):
            if isinstance(value, list | dict) or (isinstance(value, str) and len(value) > _OPTION):
                del self.fields[name]

    @property
    def extent(self) -> Extent | None:
        """How many of the units that its model is sold by; None where it is sold by tokens.

        Raises:
            InvalidRequestError: It cannot be sold by that.
        """
        if self.sold_by is None:
            return None
        extent = self.units.get(self.sold_by)
        if extent is None:
            raise InvalidRequestError(
                f"{self.model} is sold by the {self.sold_by}, which has no bound here.",
                param="model",
                code="unsupported_model",
            )
        if isinstance(extent, InvalidRequestError):
            raise extent
        return extent


Receipt = Callable[[Usage], Mapping[str, str]]
"""What an answer's usage cost and what is left, by name, as the client sees it."""


Explain = Callable[[object], UpstreamError]
"""What an error object within an answer means; its text is fit to be shown to the client."""


class ErrorFacts(Protocol):
    """What a refused request is told, before a protocol puts it into words of its own."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def kind(self) -> str:
        """OpenAI's ``type`` of it."""

    @property
    def code(self) -> str | None:
        """A stable word for machines."""

    @property
    def message(self) -> str:
        """One or two sentences for people."""

    @property
    def param(self) -> str | None:
        """The place in the request that is wrong."""

    @property
    def details(self) -> Mapping[str, object] | None:
        """Facts that some clients act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedModel:
    """A model as the list of models shows it.

    Attributes:
        model: Its name.
        mode: What it is for, such as ``chat``.
        features: What else it can do, such as ``vision``.
        max_input_tokens: Its context, where known.
        max_output_tokens: Its longest answer, where known.
        usd: Money for one token by bucket (``prompt``, ``completion``, ``input_cache_read``,
            ``input_cache_write``), as decimal text; for one unit by its name.
        credits_per_million: The same in credits for a million tokens, by ``input`` and so on.
        credits_per_unit: The same for one unit, by its name.
    """

    model: str
    mode: str
    features: frozenset[str]
    max_input_tokens: int | None
    max_output_tokens: int | None
    usd: Mapping[str, str]
    credits_per_million: Mapping[str, str]
    credits_per_unit: Mapping[str, str] = field(default_factory=dict)


class Meter(Protocol):
    """Reads one answer as it passes.

    Attributes:
        budget: Output tokens that are paid for, by the rough count. What comes after
            them is held back; None holds nothing back.
        limit: The same by the count that is never too high: pieces of output, each of
            which is a token at least.
    """

    budget: int | None
    limit: int | None

    def feed(self, chunk: bytes) -> bytes:
        """Take bytes from upstream, return those the client may have now.

        Only whole events leave, so that one the client did not ask for can be taken out.
        """

    def finish(self) -> bytes:
        """Return what is still held back when the upstream has ended."""

    @property
    def starved(self) -> bool:
        """Whether something is held back that is not paid for.

        With a larger budget, ``feed(b"")`` lets it go.
        """

    def cut_short(self, message: str) -> bytes:
        """Return a proper end, as if the output limit had been reached, which says why."""

    @property
    def usage(self) -> Usage | None:
        """The token counts reported so far, 0 for a side that no report has; None without any."""

    @property
    def is_outdated(self) -> bool:
        """Whether output passed that no report of usage has counted."""

    @property
    def failure(self) -> UpstreamError | None:
        """What the upstream refused the call with, where its whole answer is an error."""

    @property
    def delivered_tokens(self) -> int:
        """Output tokens that passed so far, counted roughly."""

    @property
    def complete(self) -> bool:
        """Whether the answer ended as its protocol says it should."""

    @property
    def error(self) -> str | None:
        """What the upstream reported going wrong after it had begun to answer."""

    @property
    def reported_cost(self) -> str | None:
        """What the answer's body says that it cost, as it says it; it is not checked."""


class Upload(Protocol):
    """The file of a request, kept outside of memory once it is large.

    Attributes:
        name: What the client calls it, unchecked.
        media_type: What the client says that it is, unchecked.
        length: Its bytes.
    """

    name: str
    media_type: str
    length: int

    def parts(self) -> Iterator[bytes]:
        """Return it block by block, from its beginning each time."""

    def ends(self) -> tuple[bytes, bytes]:
        """Return its first and its last bytes, some tens of kilobytes of each."""


class LongBody(Protocol):
    """The part of what goes upstream that is too long to be held."""

    @property
    def length(self) -> int:
        """Its bytes."""

    def parts(self) -> Iterator[bytes]:
        """Return it block by block, from its beginning each time."""


class HeardWire(Protocol):
    """One client protocol, as the headers of one request select it."""

    @property
    def endpoint(self) -> str:
        """The route, such as ``/v1/chat/completions``."""

    @property
    def modes(self) -> frozenset[str]:
        """What models that speak it are for, as price rows say: ``chat``, ``embedding``."""

    @property
    def limit_field(self) -> str:
        """The field that limits the output, for advice to the client."""

    @property
    def upstream_headers(self) -> Mapping[str, str]:
        """Headers that the protocol itself has, beside those of every request.

        A ``content-type`` among them stands in place of that of JSON.
        """

    def parse(self, body: bytes) -> InferenceRequest:
        """Understand a request body.

        Raises:
            InvalidRequestError: It cannot be served; the error names the field.
        """

    def text_of(self, request: InferenceRequest) -> PromptText | None:
        """Return the text of the prompt, where it can be counted by itself.

        Its bound is a part of ``prompt_bound``. Asked before long fields are forgotten, and
        only where credits are short.
        """

    def upstream_body(self, request: InferenceRequest, *, output_bound: int | None) -> bytes:
        """Return what is sent upstream, with the output limited to ``output_bound``."""

    def rest(self) -> LongBody | None:
        """Return what follows ``upstream_body``; None where that is all."""

    def media_type(self, request: InferenceRequest) -> str:
        """Return the media type of a whole answer to this request, for the client."""

    def meter(self, request: InferenceRequest, *, receipt: Receipt, explain: Explain) -> Meter:
        """Return a meter for the answer to this request.

        Args:
            request: What ``parse`` returned.
            receipt: Put beside the usage of a stream, where the client asked for usage.
            explain: Reads errors within the answer.
        """

    def error_event(self, message: str, *, kind: str, code: str) -> bytes:
        """Return an error as an event in the stream."""


class Wire(HeardWire, Protocol):
    """One client protocol."""

    @property
    def key_header(self) -> str:
        """The header where a key may stand beside ``Authorization``."""

    @property
    def version_header(self) -> str | None:
        """The header by which a request for something shared says that it is of this protocol."""

    def model_document(self, model: OfferedModel) -> bytes:
        """Return one model as SDKs of this protocol read it."""

    def model_list(self, models: Sequence[OfferedModel], *, query: str) -> bytes:
        """Return models as SDKs of this protocol read them.

        Args:
            models: All of them, by name.
            query: The query of the address, for protocols that page.

        Raises:
            InvalidRequestError: The query cannot be served.
        """

    @property
    def id_headers(self) -> tuple[str, ...]:
        """The headers in which SDKs of this protocol look for the name of a call."""

    def limit_headers(self, standings: Sequence[Standing]) -> list[tuple[str, str]]:
        """Return headers that say what is left of a key's limits."""

    def error_document(self, error: ErrorFacts, *, call_id: str) -> bytes:
        """Return the body of a refused request."""

    def hearing(self, header: Callable[[str], str | None]) -> HeardWire:
        """Return this wire as a client's headers select it, for one request.

        Nothing else of a client's headers ever goes upstream.

        Args:
            header: Returns a header by its name in lower case.

        Raises:
            InvalidRequestError: A header of this protocol is malformed.
        """


class FormWire(Wire, Protocol):
    """A client protocol whose requests are forms with a file.

    The fields of a form reach ``parse`` as JSON: each name with the list of its values.
    """

    def holding(self, upload: Upload) -> HeardWire:
        """Return this wire for one request, whose file has arrived."""
