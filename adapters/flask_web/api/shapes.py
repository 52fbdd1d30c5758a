"""What requests and answers of the account API look like. Others rely on these shapes.

Credits are exact decimal text: a float would round them. Instants are RFC 3339.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from adapters.flask_web.api.operations import Shape
from creditcore.domain.keys import Scope
from creditcore.domain.limits import MAX_LISTED, MAX_PARALLEL, MAX_RATE, Period

CreditsText = Annotated[
    str, StringConstraints(pattern=r"^-?[0-9]{1,13}(\.[0-9]{1,6})?$"), Field(examples=["12.5"])
]
"""Credits, 1 of which is 1 US cent of balance, with up to six decimals."""

Amount = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$"), Field(examples=["500"])
]
_Name = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Listed = Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=MAX_LISTED)]
_Webhook = Annotated[str, Field(max_length=500, examples=["https://example.com/hook"])]
_Rate = Annotated[int, Field(ge=1, le=MAX_RATE)]
_Parallel = Annotated[int, Field(ge=1, le=MAX_PARALLEL)]
_Scopes = Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]


class SpendLimitShape(Shape):
    """The most that a key spends in each period."""

    credits: Amount
    period: Period = Period.TOTAL
    zone: Annotated[str, Field(max_length=64, examples=["Africa/Nairobi"])] = "UTC"


class KeyRequest(Shape):
    """A key to make. A limit that is left out is the operator's default; `null` is none."""

    name: _Name
    scopes: _Scopes = (Scope.INFERENCE,)
    expires_at: AwareDatetime | None = None
    allowed_models: _Listed = ()
    allowed_ips: _Listed = ()
    spend_limit: SpendLimitShape | None = None
    rpm: _Rate | None = None
    tpm: _Rate | None = None
    max_parallel: _Parallel | None = None
    stop_at_credits_per_hour: Amount | None = None
    stop_webhook: _Webhook | None = None


class KeyPatch(Shape):
    """What of a key is to become otherwise. `null` takes a limit away; what is left out stays."""

    name: _Name | None = None
    scopes: _Scopes | None = None
    expires_at: AwareDatetime | None = None
    allowed_models: _Listed | None = None
    allowed_ips: _Listed | None = None
    spend_limit: SpendLimitShape | None = None
    rpm: _Rate | None = None
    tpm: _Rate | None = None
    max_parallel: _Parallel | None = None
    stop_at_credits_per_hour: Amount | None = None
    stop_webhook: _Webhook | None = None
    paused: bool | None = None


class RotateRequest(Shape):
    """How long the old secret goes on working."""

    overlap_hours: Annotated[int, Field(ge=0, le=72)] = 0


class KeyShape(Shape):
    """A key. Its secret is shown once, when it is made."""

    id: str
    name: str
    prefix: str
    last_four: str
    scopes: list[Scope]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None
    last_used_at: Annotated[
        AwareDatetime | None, Field(description="To the hour; null if it was never used.")
    ]
    paused: bool
    paused_by: Annotated[
        Literal["owner", "stop"] | None, Field(description="Who, or what, has paused it.")
    ]
    allowed_models: list[str]
    allowed_ips: list[str]
    spend_limit: SpendLimitShape | None
    rpm: int | None
    tpm: int | None
    max_parallel: int | None
    stop_at_credits_per_hour: Annotated[
        CreditsText | None,
        Field(description="Pause it when so much was charged within an hour."),
    ]
    stop_webhook: Annotated[str | None, Field(description="An address that is told of that.")]
    spent: Annotated[
        CreditsText | None, Field(description="In this period; null without a spend limit.")
    ]
    spent_since: AwareDatetime | None
    resets_at: AwareDatetime | None
    credit_balance: Annotated[
        CreditsText, Field(description="What its next call may cost at most.")
    ]
    rotated_from: Annotated[str | None, Field(description="The first key of its rotation.")]


class NewKeyShape(KeyShape):
    """A key that was just made."""

    key: Annotated[str, Field(description="The secret, shown this once.")]


class KeyList(Shape):
    """Keys, newest first."""

    data: list[KeyShape]
    next_cursor: str | None


class WebhookSecret(Shape):
    """What signatures of the webhook of a key are checked with."""

    secret: Annotated[str, Field(examples=["whsec_..."])]


class StopTrial(Shape):
    """What a stop would have done to a key in the last 30 days."""

    stop_at_credits_per_hour: CreditsText | None
    days: int
    would_have_fired: Annotated[
        int, Field(description="How often it would have paused the key, resumed at once.")
    ]
    fired_at: Annotated[list[AwareDatetime], Field(description="When; the latest hundred.")]
    highest_hour: Annotated[
        CreditsText, Field(description="The most that was charged within 60 minutes.")
    ]


class Paused(Shape):
    """How many keys were paused."""

    paused: int


class CreditsShape(Shape):
    """The balance."""

    posted: CreditsText
    held: CreditsText
    available: CreditsText


class Rates(Shape):
    """A limit per minute, and how it stands now."""

    limit: int
    remaining: int | None
    reset_s: float | None


class SpendStanding(Shape):
    """A spend limit, and how it stands now."""

    credits: CreditsText
    period: Period
    zone: str
    spent: CreditsText
    held: CreditsText
    remaining: CreditsText
    resets_at: AwareDatetime | None


class ParallelStanding(Shape):
    """A limit of calls at the same time, and how many run now."""

    limit: int
    running: int


class Standings(Shape):
    """Limits that are counted, and how they stand now; null where nothing limits."""

    spend: SpendStanding | None
    parallel: ParallelStanding | None
    requests_per_minute: Rates | None
    tokens_per_minute: Rates | None


class LimitsShape(Standings):
    """Everything that limits this key now; null where nothing does."""

    account: Annotated[
        Standings, Field(description="What all keys of this account may use together.")
    ]
    member: Annotated[
        SpendStanding | None,
        Field(description="What the holder of this key may spend of their team's wallet."),
    ]
    wallet_available: CreditsText
    credit_balance: CreditsText
    allowed_models: list[str]
    allowed_ips: list[str]
    scopes: list[Scope]
    expires_at: AwareDatetime | None


class ModelShape(Shape):
    """A model, and what a million tokens cost."""

    id: str
    mode: str
    max_input_tokens: int | None
    max_output_tokens: int | None
    input: CreditsText
    cached_input: CreditsText
    output: CreditsText
    has_tiers: bool
    unit: Annotated[
        str | None, Field(description="What it is sold by besides tokens, such as `image`.")
    ]
    per_unit: Annotated[CreditsText | None, Field(description="What one of those costs.")]


class ModelList(Shape):
    """The models that the caller may call."""

    data: list[ModelShape]


class QuoteRequest(Shape):
    """A call that is not made: where it would go, and its body."""

    endpoint: Annotated[str, Field(max_length=100, examples=["/v1/chat/completions"])]
    body: dict[str, Any]


class QuoteShape(Shape):
    """What a call would cost, and whether it would run now."""

    model: str
    floor: Annotated[CreditsText, Field(description="For the prompt alone, counted roughly.")]
    ceiling: Annotated[CreditsText, Field(description="The most that it could cost.")]
    hold: Annotated[CreditsText, Field(description="What would be reserved at first.")]
    prompt_tokens_estimate: int
    output_tokens_bound: int
    would_run: bool
    refusal: Annotated[str | None, Field(description="Why it would not run.")]
    refusal_code: str | None
    affordable_output_tokens: Annotated[
        int | None, Field(description="With this output limit it would run.")
    ]


class CallShape(Shape):
    """A call."""

    id: str
    key_id: str | None
    model: str
    endpoint: str
    stream: bool
    state: str
    status: int | None
    error: str | None
    reason: Annotated[str | None, Field(description="Why it was refused, in a sentence.")]
    created_at: AwareDatetime
    closed_at: AwareDatetime | None
    latency_ms: int
    first_byte_ms: int | None
    basis: str
    prompt_tokens: int | None
    completion_tokens: int | None
    units: Annotated[
        int | None, Field(description="What the model is sold by besides tokens; see the receipt.")
    ]
    hold: CreditsText
    charge: CreditsText
    written_off: CreditsText


class CallList(Shape):
    """Calls, newest first."""

    data: list[CallShape]
    next_cursor: str | None


class ReceiptLine(Shape):
    """Tokens or units of one kind, and what they cost the provider.

    The bucket of a unit is its name (`image`, `character`, `millisecond`, `search`, `image_token`,
    `audio_token`); `tokens` counts it, and `usd_per_token` is the price of one.
    """

    bucket: str
    tokens: int
    usd_per_token: str
    usd: str
    basis: Literal["reported", "counted"]
    counted_because: Annotated[
        str | None,
        Field(
            description="Why it is our own count: `not_reported`, `client_left`, `cut_off`,"
            " `fell_behind` or `incredible`."
        ),
    ]


class ReceiptShape(CallShape):
    """A call, and how its cost came about."""

    lines: list[ReceiptLine]
    provider_cost_usd: str
    reported_cost_usd: str | None
    credits_per_cent: str


class UsageRow(Shape):
    """What was used by one group in one step of time."""

    start: AwareDatetime | None
    key_id: str | None = None
    member_id: Annotated[
        str | None, Field(description="Empty for the playground, which counts no members.")
    ] = None
    member: str | None = None
    model: str | None = None
    endpoint: str | None = None
    error: str | None = None
    calls: int
    failed: int
    cancelled: int
    refused: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    charge: CreditsText


class UsageShape(Shape):
    """What was used."""

    since: AwareDatetime
    until: AwareDatetime
    zone: str
    group_by: Literal["hour", "day", "model", "key", "member", "endpoint", "error"]
    data: list[UsageRow]
    total: UsageRow


class TransferShape(Shape):
    """One movement of credits."""

    reference: str
    kind: str
    amount: Annotated[CreditsText, Field(description="Below zero where credits left the wallet.")]
    at: AwareDatetime
    note: str


class TransferList(Shape):
    """Movements beside those of calls, newest first."""

    data: list[TransferShape]
    next_cursor: str | None


class PurchaseShape(Shape):
    """A purchase of credits."""

    reference: str
    state: str
    amount: Annotated[str, Field(examples=["1290.00"])]
    currency: str
    value_usd: str
    credits: CreditsText
    created_at: AwareDatetime
    expires_at: AwareDatetime
    closed_at: AwareDatetime | None


class PurchaseList(Shape):
    """Purchases, newest first."""

    data: list[PurchaseShape]
    next_cursor: str | None
