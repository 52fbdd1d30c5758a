"""The tables as Pony knows them.

Constraints, foreign keys and indexes are made by the migrations, and are not repeated
here. Amounts are microcredits and instants microseconds since 1970 in UTC, all 64 bits.
Pony strips text unless told otherwise. It refuses empty text where it is ``Required``,
so text that may be empty is ``Optional``; it is never NULL unless it says ``nullable``.

It is longer than other modules because it is a list: all tables, and no logic.
"""

from __future__ import annotations

from typing import Any

from pony.orm import Optional, PrimaryKey, Required


def define_entities(db: Any) -> None:
    """Define every table on a Pony database."""
    entity: Any = db.Entity

    class Profile(entity):
        _table_ = "profiles"
        id = PrimaryKey(str, autostrip=False)
        email = Required(str, unique=True, autostrip=False)
        role = Required(str)
        blocked = Required(bool)
        session_epoch = Required(int, size=64)
        created_at = Required(int, size=64)
        name = Optional(str, autostrip=False)
        timezone = Optional(str, autostrip=False)
        shown_currency = Optional(str, autostrip=False)
        subject = Optional(str, unique=True, nullable=True, autostrip=False)

    class LocalCredential(entity):
        _table_ = "local_credentials"
        profile_id = PrimaryKey(str, autostrip=False)
        password_hash = Optional(str, autostrip=False)
        confirmed_at = Optional(int, size=64)
        banned_until = Optional(int, size=64)
        totp_sealed = Required(bytes)
        totp_since = Optional(int, size=64)
        totp_step = Required(int, size=64)
        recovery_hashes = Optional(str, autostrip=False)
        new_email = Optional(str, autostrip=False)
        failures = Required(int, size=64)
        paused_until = Optional(int, size=64)

    class MailedLink(entity):
        _table_ = "mailed_links"
        id = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        person_id = Required(str, autostrip=False)
        email = Required(str, autostrip=False)
        created_at = Required(int, size=64)
        closed_at = Optional(int, size=64)

    class DailyGrant(entity):
        _table_ = "daily_grants"
        day = PrimaryKey(str, autostrip=False)
        granted = Required(int, size=64)

    class SignInFlow(entity):
        _table_ = "sign_in_flows"
        name = PrimaryKey(bytes)
        sealed = Required(bytes)
        expires_at = Required(int, size=64)

    class SavedCard(entity):
        _table_ = "saved_cards"
        id = PrimaryKey(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        email = Required(str, autostrip=False)
        signature = Required(str, autostrip=False)
        brand = Optional(str, autostrip=False)
        last4 = Optional(str, autostrip=False)
        expires = Optional(str, autostrip=False)
        bank = Optional(str, autostrip=False)
        reference = Required(str, autostrip=False)
        sealed = Required(bytes)
        saved_at = Required(int, size=64)
        removed_at = Optional(int, size=64)

    class CardConsent(entity):
        _table_ = "card_consents"
        id = PrimaryKey(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        purpose = Required(str)
        subject = Required(str, autostrip=False)
        text = Required(str, autostrip=False)
        given_at = Required(int, size=64)
        address = Optional(str, autostrip=False)
        user_agent = Optional(str, autostrip=False)
        withdrawn_at = Optional(int, size=64)

    class TopUpOrder(entity):
        _table_ = "top_up_orders"
        wallet_id = PrimaryKey(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        card_id = Required(str, autostrip=False)
        threshold = Required(int, size=64)
        value_cents = Required(int, size=64)
        currency = Required(str)
        per_day = Required(int, size=64)
        monthly_cap_cents = Required(int, size=64)
        changed_at = Required(int, size=64)
        state = Required(str)
        reason = Optional(str, autostrip=False)
        pending = Optional(str, autostrip=False)
        begun = Required(int, size=64)
        rests_until = Optional(int, size=64)

    class TopUp(entity):
        _table_ = "top_ups"
        reference = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        number = Required(int, size=64)
        value_cents = Required(int, size=64)
        begun_at = Required(int, size=64)
        failed = Required(int, size=64)

    class LowBalanceWatch(entity):
        _table_ = "low_balance_watches"
        wallet_id = PrimaryKey(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        threshold = Required(int, size=64)
        below_since = Optional(int, size=64)
        crossings = Required(int, size=64)

    class Claim(entity):
        _table_ = "claims"
        name = Required(str, autostrip=False)
        place = Required(int, size=64)
        until = Required(int, size=64)
        PrimaryKey(name, place)

    class Session(entity):
        _table_ = "sessions"
        id = PrimaryKey(str, autostrip=False)
        secret_hash = Required(bytes, unique=True)
        person_id = Required(str, autostrip=False)
        epoch = Required(int, size=64)
        stage = Required(str)
        device = Optional(str, autostrip=False)
        place = Optional(str, autostrip=False)
        created_at = Required(int, size=64)
        last_seen_at = Required(int, size=64)
        proved_at = Required(int, size=64)
        provider_session_id = Optional(str, autostrip=False)
        subject = Optional(str, autostrip=False)
        sealed_grant = Required(bytes)
        good_until = Optional(int, size=64)
        refreshing_until = Optional(int, size=64)
        ended_at = Optional(int, size=64)

    class Team(entity):
        _table_ = "teams"
        id = PrimaryKey(str, autostrip=False)
        name = Required(str, autostrip=False)
        created_at = Required(int, size=64)
        deleted_at = Optional(int, size=64)

    class TeamMember(entity):
        _table_ = "team_members"
        team_id = Required(str, autostrip=False)
        person_id = Required(str, autostrip=False)
        PrimaryKey(team_id, person_id)
        role = Required(str)
        joined_at = Required(int, size=64)

    class Invitation(entity):
        _table_ = "invitations"
        id = PrimaryKey(str, autostrip=False)
        team_id = Required(str, autostrip=False)
        email = Required(str, autostrip=False)
        role = Required(str)
        invited_by = Required(str, autostrip=False)
        sent_at = Required(int, size=64)
        expires_at = Required(int, size=64)
        state = Required(str)
        closed_at = Optional(int, size=64)
        spend_limit = Optional(int, size=64)
        spend_period = Optional(str)
        spend_zone = Optional(str, autostrip=False)

    class Wallet(entity):
        _table_ = "wallets"
        id = PrimaryKey(str, autostrip=False)
        owner_id = Required(str, unique=True, autostrip=False)
        posted = Required(int, size=64)
        held = Required(int, size=64)
        owed = Required(int, size=64)

    class Transfer(entity):
        _table_ = "transfers"
        reference = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        from_account = Required(str, autostrip=False)
        to_account = Required(str, autostrip=False)
        amount = Required(int, size=64)
        kind = Required(str)
        at = Required(int, size=64)
        note = Optional(str, autostrip=False)

    class UsageLog(entity):
        """A call, which is also its hold."""

        _table_ = "usage_logs"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        key_id = Optional(str, autostrip=False, nullable=True)
        model = Optional(str, autostrip=False, nullable=True)
        endpoint = Optional(str, autostrip=False)
        stream = Required(bool)
        prompt_bound = Required(int, size=64)
        output_bound = Required(int, size=64)
        price_snapshot = Optional(str, autostrip=False, nullable=True)
        multiplier = Optional(str, autostrip=False)
        hold_amount = Required(int, size=64)
        state = Required(str)
        charge = Required(int, size=64)
        written_off = Required(int, size=64)
        prompt_tokens = Optional(int, size=64)
        completion_tokens = Optional(int, size=64)
        cached_tokens = Optional(int, size=64)
        cache_write_tokens = Optional(int, size=64)
        cache_write_1h_tokens = Optional(int, size=64)
        reasoning_tokens = Optional(int, size=64)
        units = Optional(int, size=64)
        provider_cost_picodollars = Required(int, size=64)
        reported_cost_picodollars = Optional(int, size=64)
        basis = Required(str)
        input_counted = Optional(str, autostrip=False, nullable=True)
        output_counted = Optional(str, autostrip=False, nullable=True)
        status = Required(int, size=64)
        error = Optional(str, autostrip=False, nullable=True)
        latency_ms = Required(int, size=64)
        first_byte_ms = Optional(int, size=64)
        created_at = Required(int, size=64)
        expires_at = Required(int, size=64)
        closed_at = Optional(int, size=64)
        counter_id = Optional(str, autostrip=False, nullable=True)
        counted_since = Optional(int, size=64)
        account_counted_since = Optional(int, size=64)
        member_id = Optional(str, autostrip=False, nullable=True)
        member_counted_since = Optional(int, size=64)

    class UsageHour(entity):
        """What was used of one model with one key in one hour."""

        _table_ = "usage_hourly"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        key_id = Required(str, autostrip=False)
        model = Required(str, autostrip=False)
        PrimaryKey(wallet_id, hour, key_id, model)
        calls = Required(int, size=64)
        failed = Required(int, size=64)
        cancelled = Required(int, size=64)
        refused_402 = Required(int, size=64)
        refused_429 = Required(int, size=64)
        refused_other = Required(int, size=64)
        prompt_tokens = Required(int, size=64)
        cached_tokens = Required(int, size=64)
        cache_write_tokens = Required(int, size=64)
        completion_tokens = Required(int, size=64)
        reasoning_tokens = Required(int, size=64)
        charge = Required(int, size=64)
        written_off = Required(int, size=64)
        provider_cost_picodollars = Required(int, size=64)
        streamed_tokens = Required(int, size=64)
        streaming_ms = Required(int, size=64)
        oldest_created_at = Optional(int, size=64)
        latency_hist = Required(bytes)
        first_byte_hist = Required(bytes)

    class UsageWalletHour(entity):
        """How long a wallet's calls took in one hour, over all keys and models."""

        _table_ = "usage_wallet_hours"
        wallet_id = Required(str, autostrip=False)
        hour = Required(int, size=64)
        PrimaryKey(wallet_id, hour)
        latency_hist = Required(bytes)
        first_byte_hist = Required(bytes)

    class RefusedCall(entity):
        _table_ = "refused_calls"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        key_id = Optional(str, autostrip=False)
        model = Optional(str, autostrip=False)
        endpoint = Optional(str, autostrip=False)
        status = Required(int, size=64)
        code = Optional(str, autostrip=False)
        message = Optional(str, autostrip=False)
        created_at = Required(int, size=64)

    class UsageRollup(entity):
        """How far calls are counted in ``usage_hourly``: one row."""

        _table_ = "usage_rollup"
        id = PrimaryKey(int, size=64)
        rolled_until = Required(int, size=64)
        created_from = Required(int, size=64)

    class VirtualKey(entity):
        _table_ = "virtual_keys"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        name = Optional(str, autostrip=False)
        prefix = Optional(str, autostrip=False)
        last_four = Optional(str, autostrip=False)
        key_hash = Required(bytes, unique=True)
        created_at = Required(int, size=64)
        expires_at = Optional(int, size=64)
        revoked_at = Optional(int, size=64)
        paused_at = Optional(int, size=64)
        paused_by = Optional(str)
        stop_per_hour = Optional(int, size=64)
        stop_since = Optional(int, size=64)
        stop_webhook = Optional(str, autostrip=False)
        scopes = Required(str)
        spend_limit = Optional(int, size=64)
        spend_period = Optional(str)
        spend_zone = Optional(str)
        max_parallel = Optional(int, size=64)
        rpm = Optional(int, size=64)
        tpm = Optional(int, size=64)
        allowed_models = Optional(str, autostrip=False)
        allowed_addresses = Optional(str)
        account_spend_limit = Optional(int, size=64)
        account_spend_period = Optional(str)
        account_spend_zone = Optional(str)
        account_max_parallel = Optional(int, size=64)
        account_rpm = Optional(int, size=64)
        account_tpm = Optional(int, size=64)
        family = Optional(str, autostrip=False)
        revision = Required(int, size=64)
        holder_id = Optional(str, autostrip=False)

    class RepeatableCall(entity):
        """A call that came with an ``Idempotency-Key``, for a day."""

        _table_ = "repeatable_calls"
        id = PrimaryKey(str, autostrip=False)
        call_id = Required(str, unique=True, autostrip=False)
        fingerprint = Required(bytes)
        created_at = Required(int, size=64)
        status = Optional(int, size=64)
        answer = Optional(bytes)

    class AccountLimits(entity):
        """What the keys of a wallet may use together."""

        _table_ = "account_limits"
        wallet_id = PrimaryKey(str, autostrip=False)
        spend_limit = Optional(int, size=64)
        spend_period = Optional(str)
        spend_zone = Optional(str)
        max_parallel = Optional(int, size=64)
        rpm = Optional(int, size=64)
        tpm = Optional(int, size=64)

    class KeyCounter(entity):
        """What a limited key has used, with all its rotated secrets, or a member of a team."""

        _table_ = "key_counters"
        id = PrimaryKey(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        since = Required(int, size=64)
        spend_limit = Optional(int, size=64)
        spent = Required(int, size=64)
        held = Required(int, size=64)
        open_calls = Required(int, size=64)
        period = Optional(str, autostrip=False)
        zone = Required(str, autostrip=False)
        raised = Required(int, size=64)

    class Purchase(entity):
        """A payment, from the offer to its end."""

        _table_ = "transactions"
        paystack_ref = PrimaryKey(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        email = Optional(str, autostrip=False)
        value_minor_units = Required(int, size=64)
        value_currency = Required(str)
        price_minor_units = Required(int, size=64)
        price_currency = Required(str)
        rate_numerator = Optional(int, size=64)
        rate_denominator = Optional(int, size=64)
        rate_base = Optional(str, nullable=True)
        rate_quote = Optional(str, nullable=True)
        sold = Required(int, size=64)
        bonus = Required(int, size=64)
        state = Required(str)
        checkout_url = Optional(str, autostrip=False)
        paid_minor_units = Optional(int, size=64)
        paid_currency = Optional(str, nullable=True)
        provider_id = Optional(str, autostrip=False)
        channel = Optional(str, autostrip=False)
        review_reason = Optional(str, autostrip=False)
        created_at = Required(int, size=64)
        expires_at = Required(int, size=64)
        closed_at = Optional(int, size=64)
        network = Optional(str, autostrip=False)
        phone = Optional(str, autostrip=False)
        display_text = Optional(str, autostrip=False)
        checked_at = Optional(int, size=64)
        card_id = Optional(str, autostrip=False)

    class Refund(entity):
        """Money that goes back: a refund, or a dispute."""

        _table_ = "refunds"
        id = PrimaryKey(str, autostrip=False)
        purchase_ref = Required(str, autostrip=False)
        wallet_id = Required(str, autostrip=False)
        kind = Required(str)
        state = Required(str)
        minor_units = Required(int, size=64)
        currency = Required(str)
        credits = Required(int, size=64)
        provider_id = Optional(str, autostrip=False, nullable=True)
        reason = Optional(str, autostrip=False)
        by_provider = Required(bool)
        turns = Required(int, size=64)
        created_at = Required(int, size=64)
        updated_at = Required(int, size=64)

    class PaymentReview(entity):
        """A payment that a person has to decide about."""

        _table_ = "payment_reviews"
        reference = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        minor_units = Required(int, size=64)
        currency = Required(str)
        provider_id = Optional(str, autostrip=False)
        reason = Optional(str, autostrip=False)
        state = Required(str)
        resolution = Optional(str, autostrip=False)
        opened_at = Required(int, size=64)
        closed_at = Optional(int, size=64)

    class Document(entity):
        """A receipt or a credit note."""

        _table_ = "documents"
        kind = Required(str)
        number = Required(int, size=64)
        PrimaryKey(kind, number)
        reference = Required(str, autostrip=False)
        purchase_ref = Required(str, autostrip=False)
        owner_id = Required(str, autostrip=False)
        original = Optional(int, size=64)
        issued_at = Required(int, size=64)
        minor_units = Required(int, size=64)
        currency = Required(str)
        tax_rate = Required(int, size=64)
        tax_minor_units = Required(int, size=64)
        details = Required(str, autostrip=False)

    class DocumentNumber(entity):
        """The latest number of a sequence; locked by whoever takes the next."""

        _table_ = "document_numbers"
        kind = PrimaryKey(str)
        latest = Required(int, size=64)

    class PaymentEvent(entity):
        _table_ = "payment_events"
        digest = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        name = Optional(str, autostrip=False)
        reference = Optional(str, autostrip=False)
        body = Optional(str, autostrip=False)
        received_at = Required(int, size=64)
        deliveries = Required(int, size=64)
        attempts = Required(int, size=64)
        due_at = Optional(int, size=64)
        reduced_at = Optional(int, size=64)

    class Model(entity):
        """A price. Rates are integers of 10^-30 USD per token, longer than 64 bits."""

        _table_ = "models"
        model = PrimaryKey(str, autostrip=False)
        rates = Required(str)
        tiers = Required(str)
        max_input_tokens = Optional(int, size=64)
        max_output_tokens = Optional(int, size=64)
        mode = Optional(str, autostrip=False)
        features = Optional(str, autostrip=False)
        markup = Required(str, autostrip=False)
        retires_on = Optional(str, nullable=True)
        updated_at = Required(int, size=64)

    class PriceSnapshot(entity):
        """A price as it was, for the receipts of calls that were priced by it."""

        _table_ = "price_snapshots"
        id = PrimaryKey(str, autostrip=False)
        model = Required(str, autostrip=False)
        rates = Required(str)
        tiers = Required(str)
        first_seen_at = Required(int, size=64)

    class ListedModel(entity):
        """A model as the model server lists it, sold or not."""

        _table_ = "listed_models"
        model = PrimaryKey(str, autostrip=False)
        price = Optional(str, nullable=True, autostrip=False)
        fault = Optional(str, autostrip=False)
        listed_at = Required(int, size=64)

    class PriceRule(entity):
        """What an operator has decided about prices."""

        _table_ = "price_rules"
        id = PrimaryKey(str, autostrip=False)
        kind = Required(str)
        pattern = Required(str, autostrip=False)
        rates = Optional(str, nullable=True, autostrip=False)
        factor = Required(str, autostrip=False)
        reason = Optional(str, autostrip=False)
        created_at = Required(int, size=64)
        created_by = Optional(str, autostrip=False)
        ends_at = Optional(int, size=64)
        ended_at = Optional(int, size=64)

    class PriceChange(entity):
        """A price that became another; without a snapshot the model was not sold any more."""

        _table_ = "price_changes"
        number = PrimaryKey(int, size=64)
        model = Required(str, autostrip=False)
        snapshot = Optional(str, nullable=True, autostrip=False)
        markup = Required(str, autostrip=False)
        at = Required(int, size=64)

    class Job(entity):
        _table_ = "jobs"
        kind = Required(str, autostrip=False)
        business_key = Required(str, autostrip=False)
        payload = Required(str, autostrip=False)
        run_at = Required(int, size=64)
        state = Required(str)
        attempts = Required(int, size=64)
        due_at = Optional(int, size=64)
        last_error = Optional(str, autostrip=False)
        closed_at = Optional(int, size=64)
        PrimaryKey(kind, business_key)

    class KeyMirror(entity):
        _table_ = "key_mirrors"
        key_id = PrimaryKey(str, autostrip=False)
        revision = Required(int, size=64)
        sync_status = Required(str)
        litellm_key_id = Optional(str, autostrip=False, nullable=True)
        last_synced_at = Optional(int, size=64)
        last_error = Optional(str, autostrip=False)
        attempts = Required(int, size=64)
        due_at = Optional(int, size=64)

    class MailRecipient(entity):
        _table_ = "mail_recipients"
        address = PrimaryKey(str, autostrip=False)
        hour_began_at = Required(int, size=64)
        mails_in_hour = Required(int, size=64)
        refusal = Optional(str, autostrip=False)
        refused_at = Optional(int, size=64)

    class ActivityLog(entity):
        _table_ = "activity_logs"
        number = PrimaryKey(int, size=64)
        actor_id = Required(str, autostrip=False)
        address = Optional(str, autostrip=False)
        user_agent = Optional(str, autostrip=False)
        act = Required(str)
        target = Required(str, autostrip=False)
        person_id = Optional(str, autostrip=False)
        before = Required(str, autostrip=False)
        after = Required(str, autostrip=False)
        at = Required(int, size=64)

    class MonitoringLog(entity):
        _table_ = "monitoring_logs"
        number = PrimaryKey(int, size=64)
        check_name = Required(str, autostrip=False)
        is_healthy = Required(bool)
        detail = Optional(str, autostrip=False)
        value = Optional(int, size=64)
        at = Required(int, size=64)

    class SystemAlert(entity):
        _table_ = "system_alerts"
        key = PrimaryKey(str, autostrip=False)
        resolved_at = Optional(int, size=64)
        acknowledged_at = Optional(int, size=64)
        acknowledged_by = Optional(str, autostrip=False, nullable=True)
        severity = Required(str)
        subject = Optional(str, autostrip=False)
        message = Optional(str, autostrip=False)
        at = Required(int, size=64)
