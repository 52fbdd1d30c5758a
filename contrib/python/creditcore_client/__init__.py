"""A typed client of the account API: balance, keys, usage, receipts.

Written by contrib/python/generate.py from the OpenAPI document; do not edit.
It is longer than other modules because it is written in one go, to be read by type checkers.

    client = Client("https://ai.example.com", "sk-cc-...")
    client.read_credits()["available"]

Credits are exact decimal text, instants RFC 3339 text. What is refused raises ``ApiError``.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from creditcore_client._transport import ApiError, Transport

__all__ = ["ApiError", "Client", "Transport"]


class AcceptRequest(TypedDict):
    """The link of an invitation, or the token in it."""

    token: str


class CallList(TypedDict):
    """Calls, newest first."""

    data: list[CallShape]
    next_cursor: str | None


class CallShape(TypedDict):
    """A call."""

    id: str
    key_id: str | None
    model: str
    endpoint: str
    stream: bool
    state: str
    status: int | None
    error: str | None
    reason: str | None
    """Why it was refused, in a sentence."""
    created_at: str
    closed_at: str | None
    latency_ms: int
    first_byte_ms: int | None
    basis: str
    prompt_tokens: int | None
    completion_tokens: int | None
    units: int | None
    """What the model is sold by besides tokens; see the receipt."""
    hold: str
    charge: str
    written_off: str


class CreditsShape(TypedDict):
    """The balance."""

    posted: str
    held: str
    available: str


class Gone(TypedDict):
    """What ended with it."""

    keys_revoked: int


class InvitationList(TypedDict):
    """Invitations that wait for an answer, the latest first."""

    data: list[InvitationShape]


class InvitationRequest(TypedDict):
    """Who is invited, as what, and what they may spend."""

    email: str
    role: NotRequired[TeamRole]
    limit: NotRequired[SpendLimitShape | None]
    """Counted from when they join."""


class InvitationShape(TypedDict):
    """An invitation that waits for an answer."""

    id: str
    email: str
    role: TeamRole
    limit: SpendLimitShape | None
    sent_at: str
    expires_at: str
    works: bool
    """False once it has expired; send it again then."""


class KeyList(TypedDict):
    """Keys, newest first."""

    data: list[KeyShape]
    next_cursor: str | None


class KeyPatch(TypedDict):
    """What of a key is to become otherwise. `null` takes a limit away; what is left out stays."""

    name: NotRequired[str | None]
    scopes: NotRequired[list[Scope] | None]
    expires_at: NotRequired[str | None]
    allowed_models: NotRequired[list[str] | None]
    allowed_ips: NotRequired[list[str] | None]
    spend_limit: NotRequired[SpendLimitShape | None]
    rpm: NotRequired[int | None]
    tpm: NotRequired[int | None]
    max_parallel: NotRequired[int | None]
    stop_at_credits_per_hour: NotRequired[str | None]
    stop_webhook: NotRequired[str | None]
    paused: NotRequired[bool | None]


class KeyRequest(TypedDict):
    """A key to make. A limit that is left out is the operator's default; `null` is none."""

    name: str
    scopes: NotRequired[list[Scope]]
    expires_at: NotRequired[str | None]
    allowed_models: NotRequired[list[str]]
    allowed_ips: NotRequired[list[str]]
    spend_limit: NotRequired[SpendLimitShape | None]
    rpm: NotRequired[int | None]
    tpm: NotRequired[int | None]
    max_parallel: NotRequired[int | None]
    stop_at_credits_per_hour: NotRequired[str | None]
    stop_webhook: NotRequired[str | None]


class KeyShape(TypedDict):
    """A key. Its secret is shown once, when it is made."""

    id: str
    name: str
    prefix: str
    last_four: str
    scopes: list[Scope]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    """To the hour; null if it was never used."""
    paused: bool
    paused_by: Literal["owner", "stop"] | None
    """Who, or what, has paused it."""
    allowed_models: list[str]
    allowed_ips: list[str]
    spend_limit: SpendLimitShape | None
    rpm: int | None
    tpm: int | None
    max_parallel: int | None
    stop_at_credits_per_hour: str | None
    """Pause it when so much was charged within an hour."""
    stop_webhook: str | None
    """An address that is told of that."""
    spent: str | None
    """In this period; null without a spend limit."""
    spent_since: str | None
    resets_at: str | None
    credit_balance: str
    """What its next call may cost at most."""
    rotated_from: str | None
    """The first key of its rotation."""


class LimitsShape(TypedDict):
    """Everything that limits this key now; null where nothing does."""

    spend: SpendStanding | None
    parallel: ParallelStanding | None
    requests_per_minute: Rates | None
    tokens_per_minute: Rates | None
    account: Standings
    """What all keys of this account may use together."""
    member: SpendStanding | None
    """What the holder of this key may spend of their team's wallet."""
    wallet_available: str
    credit_balance: str
    allowed_models: list[str]
    allowed_ips: list[str]
    scopes: list[Scope]
    expires_at: str | None


class MemberLimitRequest(TypedDict):
    """What a member may spend from now on; `null` is as much as there is."""

    limit: SpendLimitShape | None


class MemberShape(TypedDict):
    """A member of a team, and how their spending stands.  Who is no admin or owner sees their
    own spending alone: of others, all of it is null."""

    id: str
    name: str
    email: str
    role: TeamRole
    joined_at: str
    limit: str | None
    """Null where there is none."""
    raised: str | None
    """Added to the limit for this period alone."""
    spent: str | None
    held: str | None
    spent_since: str | None
    resets_at: str | None
    keys: int | None
    last_active_at: str | None


class ModelList(TypedDict):
    """The models that the caller may call."""

    data: list[ModelShape]


class ModelShape(TypedDict):
    """A model, and what a million tokens cost."""

    id: str
    mode: str
    max_input_tokens: int | None
    max_output_tokens: int | None
    input: str
    cached_input: str
    output: str
    has_tiers: bool
    unit: str | None
    """What it is sold by besides tokens, such as `image`."""
    per_unit: str | None
    """What one of those costs."""


class NewInvitationShape(TypedDict):
    """An invitation that was just sent."""

    id: str
    email: str
    role: TeamRole
    limit: SpendLimitShape | None
    sent_at: str
    expires_at: str
    works: bool
    """False once it has expired; send it again then."""
    url: str
    """Its link, shown this once; for its address alone."""


class NewKeyShape(TypedDict):
    """A key that was just made."""

    id: str
    name: str
    prefix: str
    last_four: str
    scopes: list[Scope]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    """To the hour; null if it was never used."""
    paused: bool
    paused_by: Literal["owner", "stop"] | None
    """Who, or what, has paused it."""
    allowed_models: list[str]
    allowed_ips: list[str]
    spend_limit: SpendLimitShape | None
    rpm: int | None
    tpm: int | None
    max_parallel: int | None
    stop_at_credits_per_hour: str | None
    """Pause it when so much was charged within an hour."""
    stop_webhook: str | None
    """An address that is told of that."""
    spent: str | None
    """In this period; null without a spend limit."""
    spent_since: str | None
    resets_at: str | None
    credit_balance: str
    """What its next call may cost at most."""
    rotated_from: str | None
    """The first key of its rotation."""
    key: str
    """The secret, shown this once."""


class NewTeamShape(TypedDict):
    """A team that was just made, and a key of its owner in it."""

    team: TeamShape
    key: NewKeyShape
    """Manages the team; its secret is shown once."""


class ParallelStanding(TypedDict):
    """A limit of calls at the same time, and how many run now."""

    limit: int
    running: int


class Paused(TypedDict):
    """How many keys were paused."""

    paused: int


Period = Literal["total", "day", "week", "month"]


class PurchaseList(TypedDict):
    """Purchases, newest first."""

    data: list[PurchaseShape]
    next_cursor: str | None


class PurchaseShape(TypedDict):
    """A purchase of credits."""

    reference: str
    state: str
    amount: str
    currency: str
    value_usd: str
    credits: str
    created_at: str
    expires_at: str
    closed_at: str | None


class QuoteRequest(TypedDict):
    """A call that is not made: where it would go, and its body."""

    endpoint: str
    body: dict[str, Any]


class QuoteShape(TypedDict):
    """What a call would cost, and whether it would run now."""

    model: str
    floor: str
    """For the prompt alone, counted roughly."""
    ceiling: str
    """The most that it could cost."""
    hold: str
    """What would be reserved at first."""
    prompt_tokens_estimate: int
    output_tokens_bound: int
    would_run: bool
    refusal: str | None
    """Why it would not run."""
    refusal_code: str | None
    affordable_output_tokens: int | None
    """With this output limit it would run."""


class RaiseRequest(TypedDict):
    """What a member may spend beyond their limit until its period ends."""

    credits: str


class Rates(TypedDict):
    """A limit per minute, and how it stands now."""

    limit: int
    remaining: int | None
    reset_s: float | None


class ReceiptLine(TypedDict):
    """Tokens or units of one kind, and what they cost the provider.  The bucket of a unit is
    its name (`image`, `character`, `millisecond`, `search`, `image_token`, `audio_token`);
    `tokens` counts it, and `usd_per_token` is the price of one."""

    bucket: str
    tokens: int
    usd_per_token: str
    usd: str
    basis: Literal["reported", "counted"]
    counted_because: str | None
    """Why it is our own count: `not_reported`, `client_left`, `cut_off`, `fell_behind` or
    `incredible`."""


class ReceiptShape(TypedDict):
    """A call, and how its cost came about."""

    id: str
    key_id: str | None
    model: str
    endpoint: str
    stream: bool
    state: str
    status: int | None
    error: str | None
    reason: str | None
    """Why it was refused, in a sentence."""
    created_at: str
    closed_at: str | None
    latency_ms: int
    first_byte_ms: int | None
    basis: str
    prompt_tokens: int | None
    completion_tokens: int | None
    units: int | None
    """What the model is sold by besides tokens; see the receipt."""
    hold: str
    charge: str
    written_off: str
    lines: list[ReceiptLine]
    provider_cost_usd: str
    reported_cost_usd: str | None
    credits_per_cent: str


class RoleRequest(TypedDict):
    """What a member is from now on."""

    role: TeamRole


class RotateRequest(TypedDict):
    """How long the old secret goes on working."""

    overlap_hours: NotRequired[int]


Scope = Literal["inference", "account:read", "account:manage"]


class SpendLimitShape(TypedDict):
    """The most that a key spends in each period."""

    credits: str
    period: NotRequired[Period]
    zone: NotRequired[str]


class SpendStanding(TypedDict):
    """A spend limit, and how it stands now."""

    credits: str
    period: Period
    zone: str
    spent: str
    held: str
    remaining: str
    resets_at: str | None


class Standings(TypedDict):
    """Limits that are counted, and how they stand now; null where nothing limits."""

    spend: SpendStanding | None
    parallel: ParallelStanding | None
    requests_per_minute: Rates | None
    tokens_per_minute: Rates | None


class StopTrial(TypedDict):
    """What a stop would have done to a key in the last 30 days."""

    stop_at_credits_per_hour: str | None
    days: int
    would_have_fired: int
    """How often it would have paused the key, resumed at once."""
    fired_at: list[str]
    """When; the latest hundred."""
    highest_hour: str
    """The most that was charged within 60 minutes."""


class TeamDeleted(TypedDict):
    """A team that is deleted."""

    id: str
    deleted: bool


class TeamPatch(TypedDict):
    """What of a team is to become otherwise."""

    name: str


class TeamRequest(TypedDict):
    """A team to make."""

    name: str


TeamRole = Literal["viewer", "member", "admin", "owner"]


class TeamShape(TypedDict):
    """A team, its balance and its members."""

    id: str
    name: str
    role: TeamRole
    """That of who asks."""
    available: str
    members: list[MemberShape]


class TransferList(TypedDict):
    """Movements beside those of calls, newest first."""

    data: list[TransferShape]
    next_cursor: str | None


class TransferRequest(TypedDict):
    """Who becomes an owner; who asks becomes an admin."""

    member_id: str


class TransferShape(TypedDict):
    """One movement of credits."""

    reference: str
    kind: str
    amount: str
    """Below zero where credits left the wallet."""
    at: str
    note: str


class UsageRow(TypedDict):
    """What was used by one group in one step of time."""

    start: str | None
    key_id: NotRequired[str | None]
    member_id: NotRequired[str | None]
    """Empty for the playground, which counts no members."""
    member: NotRequired[str | None]
    model: NotRequired[str | None]
    endpoint: NotRequired[str | None]
    error: NotRequired[str | None]
    calls: int
    failed: int
    cancelled: int
    refused: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    charge: str


class UsageShape(TypedDict):
    """What was used."""

    since: str
    until: str
    zone: str
    group_by: Literal["hour", "day", "model", "key", "member", "endpoint", "error"]
    data: list[UsageRow]
    total: UsageRow


class WebhookSecret(TypedDict):
    """What signatures of the webhook of a key are checked with."""

    secret: str


class Client(Transport):
    """The operations of the account API."""

    def read_credits(
        self,
    ) -> CreditsShape:
        """Show the balance, in credits as exact decimal text."""
        answer: CreditsShape = self.call(
            "GET",
            "/api/v1/credits",
        )
        return answer

    def read_limits(
        self,
    ) -> LimitsShape:
        """Show everything that limits this key now, or in a session what limits the account."""
        answer: LimitsShape = self.call(
            "GET",
            "/api/v1/limits",
        )
        return answer

    def read_models(
        self,
    ) -> ModelList:
        """List the models that the caller may call, with what a million tokens cost."""
        answer: ModelList = self.call(
            "GET",
            "/api/v1/models",
        )
        return answer

    def quote(
        self,
        body: QuoteRequest,
    ) -> QuoteShape:
        """Say what a call would cost and whether it would run now, without making it."""
        answer: QuoteShape = self.call(
            "POST",
            "/api/v1/quote",
            body=body,
        )
        return answer

    def list_calls(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
        key_id: str | None = None,
        model: str | None = None,
        endpoint: str | None = None,
        state: Literal["open", "settled", "released", "expired", "refused"] | None = None,
        failed: bool | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> CallList:
        """List calls, newest first: those that failed, and those that were refused, included."""
        answer: CallList = self.call(
            "GET",
            "/api/v1/calls",
            query={
                "limit": limit,
                "cursor": cursor,
                "key_id": key_id,
                "model": model,
                "endpoint": endpoint,
                "state": state,
                "failed": failed,
                "since": since,
                "until": until,
            },
        )
        return answer

    def read_call(
        self,
        call_id: str,
    ) -> ReceiptShape:
        """Show the receipt of one call: how its cost came about."""
        answer: ReceiptShape = self.call(
            "GET",
            "/api/v1/calls/{call_id}",
            names={"call_id": call_id},
        )
        return answer

    def list_keys(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> KeyList:
        """List keys, newest first, revoked ones included."""
        answer: KeyList = self.call(
            "GET",
            "/api/v1/keys",
            query={"limit": limit, "cursor": cursor},
        )
        return answer

    def make_key(
        self,
        body: KeyRequest,
    ) -> NewKeyShape:
        """Make a key. A key that asks gives no more than it has itself."""
        answer: NewKeyShape = self.call(
            "POST",
            "/api/v1/keys",
            body=body,
        )
        return answer

    def read_key(
        self,
        key_id: str,
    ) -> KeyShape:
        """Show one key, with what it has spent and may still spend."""
        answer: KeyShape = self.call(
            "GET",
            "/api/v1/keys/{key_id}",
            names={"key_id": key_id},
        )
        return answer

    def change_key(
        self,
        key_id: str,
        body: KeyPatch,
    ) -> KeyShape:
        """Rename, limit, pause or resume a key; it counts with the very next call."""
        answer: KeyShape = self.call(
            "PATCH",
            "/api/v1/keys/{key_id}",
            names={"key_id": key_id},
            body=body,
        )
        return answer

    def revoke_key(
        self,
        key_id: str,
    ) -> KeyShape:
        """Revoke a key: the next call with it is refused, for ever. A repeat changes nothing."""
        answer: KeyShape = self.call(
            "DELETE",
            "/api/v1/keys/{key_id}",
            names={"key_id": key_id},
        )
        return answer

    def rotate_key(
        self,
        key_id: str,
        body: RotateRequest,
    ) -> NewKeyShape:
        """Make a key in the place of another, with the same limits and one count of both."""
        answer: NewKeyShape = self.call(
            "POST",
            "/api/v1/keys/{key_id}/rotate",
            names={"key_id": key_id},
            body=body,
        )
        return answer

    def read_webhook_secret(
        self,
        key_id: str,
    ) -> WebhookSecret:
        """Show what signatures of the webhook of a key are checked with."""
        answer: WebhookSecret = self.call(
            "GET",
            "/api/v1/keys/{key_id}/webhook-secret",
            names={"key_id": key_id},
        )
        return answer

    def try_stop(
        self,
        key_id: str,
        *,
        credits_per_hour: str | None = None,
    ) -> StopTrial:
        """Say how often a stop would have paused a key in the last 30 days; nothing is
        changed."""
        answer: StopTrial = self.call(
            "GET",
            "/api/v1/keys/{key_id}/stop-trial",
            names={"key_id": key_id},
            query={"credits_per_hour": credits_per_hour},
        )
        return answer

    def pause_all_keys(
        self,
    ) -> Paused:
        """Pause every key of the account, the one that asks included."""
        answer: Paused = self.call(
            "POST",
            "/api/v1/pause-all-keys",
        )
        return answer

    def read_team(
        self,
    ) -> TeamShape:
        """Show the team whose wallet this is, with what each member may spend and has spent."""
        answer: TeamShape = self.call(
            "GET",
            "/api/v1/team",
        )
        return answer

    def rename_team(
        self,
        body: TeamPatch,
    ) -> TeamShape:
        """Rename the team. This takes an admin."""
        answer: TeamShape = self.call(
            "PATCH",
            "/api/v1/team",
            body=body,
        )
        return answer

    def delete_team(
        self,
        *,
        confirm: str | None = None,
    ) -> TeamDeleted:
        """Delete the team with all its keys. This takes an owner, and the team's name."""
        answer: TeamDeleted = self.call(
            "DELETE",
            "/api/v1/team",
            query={"confirm": confirm},
        )
        return answer

    def make_team(
        self,
        body: TeamRequest,
    ) -> NewTeamShape:
        """Make a team, which begins with an empty balance, and a key that manages it."""
        answer: NewTeamShape = self.call(
            "POST",
            "/api/v1/teams",
            body=body,
        )
        return answer

    def transfer_team(
        self,
        body: TransferRequest,
    ) -> TeamShape:
        """Make another member an owner, and who asks an admin. This takes an owner."""
        answer: TeamShape = self.call(
            "POST",
            "/api/v1/team/transfer",
            body=body,
        )
        return answer

    def leave_team(
        self,
    ) -> Gone:
        """Leave the team; one's keys there are revoked, the one that asks included."""
        answer: Gone = self.call(
            "POST",
            "/api/v1/team/leave",
        )
        return answer

    def list_invitations(
        self,
    ) -> InvitationList:
        """List invitations that wait for an answer. This takes an admin."""
        answer: InvitationList = self.call(
            "GET",
            "/api/v1/team/invitations",
        )
        return answer

    def invite_member(
        self,
        body: InvitationRequest,
    ) -> NewInvitationShape:
        """Invite an address; a repeat sends another link with these terms. This takes an
        admin."""
        answer: NewInvitationShape = self.call(
            "POST",
            "/api/v1/team/invitations",
            body=body,
        )
        return answer

    def resend_invitation(
        self,
        invitation_id: str,
    ) -> NewInvitationShape:
        """Send an invitation again; the link before opens nothing any more. This takes an
        admin."""
        answer: NewInvitationShape = self.call(
            "POST",
            "/api/v1/team/invitations/{invitation_id}/resend",
            names={"invitation_id": invitation_id},
        )
        return answer

    def withdraw_invitation(
        self,
        invitation_id: str,
    ) -> InvitationList:
        """Withdraw an invitation; answer those that are left. This takes an admin."""
        answer: InvitationList = self.call(
            "DELETE",
            "/api/v1/team/invitations/{invitation_id}",
            names={"invitation_id": invitation_id},
        )
        return answer

    def accept_invitation(
        self,
        body: AcceptRequest,
    ) -> TeamShape:
        """Join a team by the link that was sent to one's own address."""
        answer: TeamShape = self.call(
            "POST",
            "/api/v1/invitations/accept",
            body=body,
        )
        return answer

    def give_role(
        self,
        member_id: str,
        body: RoleRequest,
    ) -> MemberShape:
        """Give a member another role. This takes an admin, and an owner to make or unmake
        owners."""
        answer: MemberShape = self.call(
            "PATCH",
            "/api/v1/team/members/{member_id}",
            names={"member_id": member_id},
            body=body,
        )
        return answer

    def remove_member(
        self,
        member_id: str,
    ) -> Gone:
        """Take a member out, and revoke their keys there. This takes an admin."""
        answer: Gone = self.call(
            "DELETE",
            "/api/v1/team/members/{member_id}",
            names={"member_id": member_id},
        )
        return answer

    def limit_member(
        self,
        member_id: str,
        body: MemberLimitRequest,
    ) -> MemberShape:
        """Limit what a member spends; a new limit counts from now on. This takes an admin."""
        answer: MemberShape = self.call(
            "PUT",
            "/api/v1/team/members/{member_id}/limit",
            names={"member_id": member_id},
            body=body,
        )
        return answer

    def raise_limit(
        self,
        member_id: str,
        body: RaiseRequest,
    ) -> MemberShape:
        """Let a member spend more until their period ends; each request adds. This takes an
        admin."""
        answer: MemberShape = self.call(
            "POST",
            "/api/v1/team/members/{member_id}/raise",
            names={"member_id": member_id},
            body=body,
        )
        return answer

    def list_transactions(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> TransferList:
        """List movements of credits beside those of calls, newest first."""
        answer: TransferList = self.call(
            "GET",
            "/api/v1/transactions",
            query={"limit": limit, "cursor": cursor},
        )
        return answer

    def list_purchases(
        self,
        *,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> PurchaseList:
        """List purchases of credits, newest first. In a team this takes an admin."""
        answer: PurchaseList = self.call(
            "GET",
            "/api/v1/purchases",
            query={"limit": limit, "cursor": cursor},
        )
        return answer

    def read_usage(
        self,
        *,
        group_by: Literal["hour", "day", "model", "key", "member", "endpoint", "error"]
        | None = None,
        since: str | None = None,
        until: str | None = None,
        zone: str | None = None,
        key_id: str | None = None,
        model: str | None = None,
    ) -> UsageShape:
        """Show what was used, by hour, day, model, key, member, route or error, of calls that
        ended."""
        answer: UsageShape = self.call(
            "GET",
            "/api/v1/usage",
            query={
                "group_by": group_by,
                "since": since,
                "until": until,
                "zone": zone,
                "key_id": key_id,
                "model": model,
            },
        )
        return answer
