"""The schema guards the books by itself: a row that breaks a rule is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from adapters.pony_store import migrate
from adapters.pony_store.engine import Engine, Fault, engine_for
from tests.integration.schema_rows import PAID, ROWS, insert
from tests.stores import fresh_postgres_database

ANOTHER_KEY = {"id": "k-2", "key_hash": b"i" * 32}
LIMIT_VIOLATIONS: list[tuple[str, object, dict[str, object]]] = [
    ("spend_limit", -1, {"account_spend_period": "day"}),
    ("spend_period", "year", {"account_spend_limit": 1}),
    ("spend_zone", "", {"account_spend_limit": 1}),
    ("max_parallel", 0, {}),
    ("rpm", 0, {}),
    ("tpm", -1, {}),
]
"""What no limits that keys share may be: the column at fault, its value, and those of others."""

VIOLATIONS: list[tuple[str, str, dict[str, object]]] = [
    ("profiles_pkey", "profiles", {"email": "other@example.com"}),
    ("profiles_email_key", "profiles", {"id": "p-2"}),
    ("profiles_role", "profiles", {"id": "p-2", "email": "other@example.com", "role": "root"}),
    ("local_credentials_pkey", "local_credentials", {}),
    ("local_credentials_profile_id_fkey", "local_credentials", {"profile_id": "p-2"}),
    ("sessions_pkey", "sessions", {"secret_hash": b"i" * 32}),
    ("sessions_secret_hash_key", "sessions", {"id": "s-2"}),
    ("sessions_secret_hash", "sessions", {"id": "s-2", "secret_hash": b"i"}),
    ("sessions_person_id_fkey", "sessions", {"id": "s-2", "secret_hash": b"i" * 32,
                                             "person_id": "p-2"}),
    ("sessions_stage", "sessions", {"id": "s-2", "secret_hash": b"i" * 32, "stage": "lost"}),
    ("sessions_ended", "sessions", {"id": "s-2", "secret_hash": b"i" * 32, "ended_at": 2}),
    ("daily_grants_pkey", "daily_grants", {}),
    ("daily_grants_granted", "daily_grants", {"day": "2026-11-30", "granted": 0}),
    ("sign_in_flows_pkey", "sign_in_flows", {}),
    ("sign_in_flows_name", "sign_in_flows", {"name": b"n"}),
    ("mailed_links_pkey", "mailed_links", {}),
    ("mailed_links_kind", "mailed_links", {"id": "l-2", "kind": "lost"}),
    ("mailed_links_person_id_fkey", "mailed_links", {"id": "l-2", "person_id": "p-2"}),
    ("wallets_pkey", "wallets", {"owner_id": "p-2"}),
    ("wallets_owner_id_key", "wallets", {"id": "w-2"}),
    ("wallets_held", "wallets", {"id": "w-2", "owner_id": "p-2", "held": 11}),
    ("wallets_held", "wallets", {"id": "w-2", "owner_id": "p-2", "held": -1}),
    ("wallets_owed", "wallets", {"id": "w-2", "owner_id": "p-2", "owed": -1}),
    ("wallets_owed", "wallets", {"id": "w-2", "owner_id": "p-2", "owed": 1}),
    ("transfers_pkey", "transfers", {}),
    ("transfers_wallet_id_fkey", "transfers", {"reference": "t-2", "wallet_id": "w-2"}),
    ("transfers_amount", "transfers", {"reference": "t-2", "amount": 0}),
    ("transfers_accounts", "transfers", {"reference": "t-2", "from_account": "w-1"}),
    ("usage_logs_pkey", "usage_logs", {}),
    ("usage_logs_wallet_id_fkey", "usage_logs", {"id": "c-2", "wallet_id": "w-2"}),
    ("usage_logs_state", "usage_logs", {"id": "c-2", "state": "lost", "closed_at": 3}),
    ("usage_logs_charge", "usage_logs", {"id": "c-2", "state": "settled", "closed_at": 3,
                                         "charge": 5}),
    ("usage_logs_charge", "usage_logs", {"id": "c-2", "state": "settled", "closed_at": 3,
                                         "charge": -1}),
    ("usage_logs_written_off", "usage_logs", {"id": "c-2", "state": "settled", "closed_at": 3,
                                              "written_off": -1}),
    ("usage_logs_closed", "usage_logs", {"id": "c-2", "charge": 1}),
    ("usage_logs_closed", "usage_logs", {"id": "c-2", "written_off": 1}),
    ("usage_logs_closed", "usage_logs", {"id": "c-2", "closed_at": 3}),
    ("usage_logs_closed", "usage_logs", {"id": "c-2", "state": "released"}),
    ("virtual_keys_pkey", "virtual_keys", {"key_hash": b"i" * 32}),
    ("virtual_keys_key_hash_key", "virtual_keys", {"id": "k-2"}),
    ("virtual_keys_wallet_id_fkey", "virtual_keys", {"id": "k-2", "key_hash": b"i" * 32,
                                                     "wallet_id": "w-2"}),
    ("virtual_keys_scopes", "virtual_keys", {**ANOTHER_KEY, "scopes": ""}),
    ("virtual_keys_spend_limit", "virtual_keys", {**ANOTHER_KEY, "spend_limit": -1,
                                                  "spend_period": "day"}),
    ("virtual_keys_spend_period", "virtual_keys", {**ANOTHER_KEY, "spend_limit": 1,
                                                   "spend_period": "year"}),
    ("virtual_keys_spend_zone", "virtual_keys", {**ANOTHER_KEY, "spend_limit": 1}),
    ("virtual_keys_spend_zone", "virtual_keys", {**ANOTHER_KEY, "spend_period": "day"}),
    ("virtual_keys_max_parallel", "virtual_keys", {**ANOTHER_KEY, "max_parallel": 0}),
    ("virtual_keys_rpm", "virtual_keys", {**ANOTHER_KEY, "rpm": 0}),
    ("virtual_keys_tpm", "virtual_keys", {**ANOTHER_KEY, "tpm": -1}),
    ("virtual_keys_stop_per_hour", "virtual_keys", {**ANOTHER_KEY, "stop_per_hour": 0,
                                                    "stop_since": 1}),
    ("virtual_keys_stop_since", "virtual_keys", {**ANOTHER_KEY, "stop_per_hour": 1}),
    ("virtual_keys_stop_since", "virtual_keys", {**ANOTHER_KEY, "stop_since": 1}),
    ("virtual_keys_stop_webhook", "virtual_keys", {**ANOTHER_KEY, "stop_webhook": "https://x"}),
    ("virtual_keys_paused_by", "virtual_keys", {**ANOTHER_KEY, "paused_by": "stop"}),
    *[
        (f"virtual_keys_account_{column}", "virtual_keys",
         {**ANOTHER_KEY, f"account_{column}": value, **others})
        for column, value, others in LIMIT_VIOLATIONS
    ],
    *[
        (f"account_limits_{column}", "account_limits",
         {"wallet_id": "w-2", "spend_limit": None, "spend_period": "", column: value,
          **{name.removeprefix("account_"): other for name, other in others.items()}})
        for column, value, others in LIMIT_VIOLATIONS
    ],
    ("account_limits_pkey", "account_limits", {}),
    ("account_limits_wallet_id_fkey", "account_limits", {"wallet_id": "w-2"}),
    ("key_mirrors_pkey", "key_mirrors", {}),
    ("key_mirrors_key_id_fkey", "key_mirrors", {"key_id": "k-2"}),
    ("key_mirrors_sync_status", "key_mirrors", {"key_id": "k-2", "sync_status": "lost"}),
    ("repeatable_calls_pkey", "repeatable_calls", {"call_id": "c-2"}),
    ("repeatable_calls_call_id_key", "repeatable_calls", {"id": "r-2"}),
    ("repeatable_calls_answer", "repeatable_calls", {"id": "r-2", "call_id": "c-2",
                                                     "status": 200}),
    ("key_counters_pkey", "key_counters", {}),
    ("key_counters_wallet_id_fkey", "key_counters", {"id": "k-2", "wallet_id": "w-2"}),
    ("key_counters_spend_limit", "key_counters", {"id": "k-2", "spend_limit": -1}),
    ("key_counters_spent", "key_counters", {"id": "k-2", "spent": -1}),
    ("key_counters_held", "key_counters", {"id": "k-2", "held": -1}),
    ("key_counters_open_calls", "key_counters", {"id": "k-2", "open_calls": -1}),
    ("key_counters_period", "key_counters", {"id": "k-2", "period": "year"}),
    ("key_counters_raised", "key_counters", {"id": "k-2", "raised": -1}),
    ("teams_pkey", "teams", {}),
    ("teams_name", "teams", {"id": "t-2", "name": ""}),
    ("teams_company", "teams", {"id": "t-2", "company": "x" * 121}),
    ("teams_address", "teams", {"id": "t-2", "address": "x" * 201}),
    ("teams_tax_number", "teams", {"id": "t-2", "tax_number": "x" * 41}),
    ("team_members_pkey", "team_members", {}),
    ("team_members_team_id_fkey", "team_members", {"team_id": "t-2"}),
    ("team_members_person_id_fkey", "team_members", {"person_id": "p-2"}),
    ("team_members_role", "team_members", {"role": "king"}),
    ("invitations_pkey", "invitations", {}),
    ("invitations_team_id_fkey", "invitations", {"id": "i-2", "team_id": "t-2"}),
    ("invitations_invited_by_fkey", "invitations", {"id": "i-2", "invited_by": "p-2"}),
    ("invitations_role", "invitations", {"id": "i-2", "role": "owner"}),
    ("invitations_state", "invitations", {"id": "i-2", "state": "lost"}),
    ("invitations_closed", "invitations", {"id": "i-2", "closed_at": None}),
    ("invitations_limit", "invitations", {"id": "i-2", "spend_limit": -1}),
    ("invitations_limit", "invitations", {"id": "i-2", "spend_limit": None}),
    ("transactions_pkey", "transactions", {}),
    ("transactions_wallet_id_fkey", "transactions", {"paystack_ref": "cc-2", "wallet_id": "w-2"}),
    ("transactions_state", "transactions", {"paystack_ref": "cc-2", "state": "lost",
                                            "closed_at": 3}),
    ("transactions_price", "transactions", {"paystack_ref": "cc-2", "price_minor_units": 0}),
    ("transactions_price", "transactions", {"paystack_ref": "cc-2", "value_minor_units": -1}),
    ("transactions_credits", "transactions", {"paystack_ref": "cc-2", "sold": -1}),
    ("transactions_credits", "transactions", {"paystack_ref": "cc-2", "bonus": -1}),
    ("transactions_rate", "transactions", {"paystack_ref": "cc-2", "rate_denominator": 0}),
    ("transactions_rate", "transactions", {"paystack_ref": "cc-2", "rate_denominator": None}),
    ("transactions_asks_for", "transactions", {"paystack_ref": "cc-2", "asks_for": "secret"}),
    ("transactions_receipt_code", "transactions", {"paystack_ref": "cc-2",
                                                   "receipt_code": "S" * 41}),
    ("transactions_closed", "transactions", {"paystack_ref": "cc-2", "closed_at": 3}),
    ("transactions_closed", "transactions", {"paystack_ref": "cc-2", "state": "failed"}),
    ("transactions_paid", "transactions", {"paystack_ref": "cc-2", **PAID,
                                           "paid_minor_units": None}),
    ("transactions_paid", "transactions", {"paystack_ref": "cc-2", **PAID,
                                           "paid_minor_units": 128999}),
    ("transactions_paid", "transactions", {"paystack_ref": "cc-2", **PAID,
                                           "paid_currency": "USD"}),
    ("refunds_pkey", "refunds", {"provider_id": None}),
    ("refunds_provider_id_key", "refunds", {"id": "rf-2"}),
    ("refunds_purchase_ref_fkey", "refunds", {"id": "rf-2", "provider_id": None,
                                              "purchase_ref": "cc-9"}),
    ("refunds_wallet_id_fkey", "refunds", {"id": "rf-2", "provider_id": None,
                                           "wallet_id": "w-9"}),
    ("refunds_kind", "refunds", {"id": "rf-2", "provider_id": None, "kind": "gift"}),
    ("refunds_state", "refunds", {"id": "rf-2", "provider_id": None, "state": "lost"}),
    ("refunds_amount", "refunds", {"id": "rf-2", "provider_id": None, "minor_units": 0}),
    ("refunds_credits", "refunds", {"id": "rf-2", "provider_id": None, "credits": -1}),
    ("refunds_credits", "refunds", {"id": "rf-2", "provider_id": None, "state": "failed"}),
    ("payment_reviews_pkey", "payment_reviews", {}),
    ("payment_reviews_kind", "payment_reviews", {"reference": "cc-2", "kind": "odd"}),
    ("payment_reviews_amount", "payment_reviews", {"reference": "cc-2", "minor_units": -1}),
    ("payment_reviews_state", "payment_reviews", {"reference": "cc-2", "state": "lost"}),
    ("payment_reviews_state", "payment_reviews", {"reference": "cc-2", "closed_at": 3}),
    ("payment_reviews_state", "payment_reviews", {"reference": "cc-2", "state": "credited"}),
    ("payment_reviews_state", "payment_reviews", {"reference": "cc-2", "state": "credited",
                                                  "closed_at": 3}),
    ("saved_cards_pkey", "saved_cards", {"signature": "SIG_2"}),
    ("saved_cards_card_key", "saved_cards", {"id": "card-2"}),
    ("card_consents_pkey", "card_consents", {"subject": "cc-2"}),
    ("card_consents_purpose", "card_consents", {"id": "consent-2", "subject": "cc-2",
                                                "purpose": "gift"}),
    ("card_consents_text", "card_consents", {"id": "consent-2", "subject": "cc-2", "text": ""}),
    ("top_up_orders_pkey", "top_up_orders", {}),
    ("top_up_orders_wallet_id_fkey", "top_up_orders", {"wallet_id": "w-2"}),
    ("top_up_orders_state", "top_up_orders", {"wallet_id": "w-2", "state": "lost"}),
    ("top_up_orders_amounts", "top_up_orders", {"wallet_id": "w-2", "monthly_cap_cents": 499}),
    ("top_ups_pkey", "top_ups", {"number": 2}),
    ("top_ups_number_key", "top_ups", {"reference": "cc-2"}),
    ("top_ups_reference_fkey", "top_ups", {"reference": "cc-9", "number": 2}),
    ("top_ups_value", "top_ups", {"reference": "cc-2", "number": 2, "value_cents": 0}),
    ("low_balance_watches_pkey", "low_balance_watches", {}),
    ("low_balance_watches_wallet_id_fkey", "low_balance_watches", {"wallet_id": "w-2"}),
    ("low_balance_watches_counts", "low_balance_watches", {"threshold": -1}),
    ("weekly_summaries_pkey", "weekly_summaries", {}),
    ("weekly_summaries_person_id_fkey", "weekly_summaries", {"person_id": "p-9"}),
    ("document_numbers_pkey", "document_numbers", {}),
    ("document_numbers_latest", "document_numbers", {"kind": "memo", "latest": -1}),
    ("documents_pkey", "documents", {"reference": "cc-2"}),
    ("documents_reference_key", "documents", {"number": 2}),
    ("documents_purchase_ref_fkey", "documents", {"number": 2, "reference": "cc-2",
                                                  "purchase_ref": "cc-9"}),
    ("documents_kind", "documents", {"number": 2, "reference": "cc-2", "original": 1}),
    ("documents_kind", "documents", {"number": 2, "reference": "cc-2", "kind": "credit_note"}),
    ("documents_kind", "documents", {"number": 2, "reference": "cc-2", "kind": "memo"}),
    ("documents_amounts", "documents", {"number": 0, "reference": "cc-2"}),
    ("documents_amounts", "documents", {"number": 2, "reference": "cc-2", "minor_units": 0}),
    ("documents_amounts", "documents", {"number": 2, "reference": "cc-2", "tax_rate": -1}),
    ("documents_amounts", "documents", {"number": 2, "reference": "cc-2",
                                        "tax_minor_units": 129001}),
    ("fiscal_stamps_pkey", "fiscal_stamps", {"invoice_number": "153"}),
    ("fiscal_stamps_document_fkey", "fiscal_stamps", {"number": 2, "invoice_number": "153"}),
    ("fiscal_stamps_invoice_number_key", "fiscal_stamps", {"number": 2}),
    ("fiscal_stamps_invoice_number", "fiscal_stamps", {"number": 2, "invoice_number": ""}),
    ("fiscal_stamps_provable", "fiscal_stamps", {"number": 2, "invoice_number": "153",
                                                 "signature": ""}),
    ("fiscal_stamps_lengths", "fiscal_stamps", {"number": 2, "invoice_number": "1" * 129}),
    ("payment_events_pkey", "payment_events", {}),
    ("payment_events_deliveries", "payment_events", {"digest": "d-2", "deliveries": 0}),
    ("models_pkey", "models", {}),
    ("price_snapshots_pkey", "price_snapshots", {}),
    ("listed_models_pkey", "listed_models", {}),
    ("listed_models_fault_check", "listed_models", {"model": "b", "fault": "none"}),
    ("listed_models_fault_check", "listed_models", {"model": "b", "price": None}),
    ("price_rules_pkey", "price_rules", {}),
    ("price_rules_kind_check", "price_rules", {"id": "r-2", "kind": "gift"}),
    ("price_rules_rates_check", "price_rules", {"id": "r-2", "rates": "{}"}),
    ("price_changes_pkey", "price_changes", {"number": 1}),
    ("jobs_pkey", "jobs", {}),
    ("jobs_name", "jobs", {"kind": ""}),
    ("jobs_name", "jobs", {"business_key": ""}),
    ("jobs_state", "jobs", {"business_key": "2", "state": "lost", "due_at": None,
                            "closed_at": 3}),
    ("jobs_attempts", "jobs", {"business_key": "2", "attempts": -1}),
    ("jobs_due", "jobs", {"business_key": "2", "due_at": None}),
    ("jobs_due", "jobs", {"business_key": "2", "state": "done", "closed_at": 3}),
    ("jobs_closed", "jobs", {"business_key": "2", "closed_at": 3}),
    ("jobs_closed", "jobs", {"business_key": "2", "state": "done", "due_at": None}),
    ("claims_pkey", "claims", {}),
    ("claims_place", "claims", {"place": -1}),
    ("mail_recipients_pkey", "mail_recipients", {}),
    ("mail_recipients_mails_in_hour", "mail_recipients", {"address": "b@example.com",
                                                          "mails_in_hour": -1}),
    ("activity_logs_said", "activity_logs", {"actor_id": ""}),
    ("activity_logs_said", "activity_logs", {"act": ""}),
    ("activity_logs_said", "activity_logs", {"target": ""}),
    ("activity_logs_pkey", "activity_logs", {"number": 1}),
    ("monitoring_logs_pkey", "monitoring_logs", {"number": 1}),
    ("monitoring_logs_check", "monitoring_logs", {"check_name": ""}),
    ("system_alerts_pkey", "system_alerts", {}),
    ("usage_hourly_pkey", "usage_hourly", {}),
    ("usage_hourly_wallet_id_fkey", "usage_hourly", {"wallet_id": "w-2"}),
    ("usage_hourly_calls", "usage_hourly", {"hour": 1, "calls": 1, "failed": 1, "cancelled": 1}),
    ("usage_hourly_charge", "usage_hourly", {"hour": 1, "charge": -1}),
    ("usage_hourly_charge", "usage_hourly", {"hour": 1, "written_off": -1}),
    ("usage_wallet_hours_pkey", "usage_wallet_hours", {}),
    ("usage_wallet_hours_wallet_id_fkey", "usage_wallet_hours", {"wallet_id": "w-2"}),
    ("usage_blocks_pkey", "usage_blocks", {}),
    ("usage_blocks_wallet_id_fkey", "usage_blocks", {"wallet_id": "w-2"}),
    ("usage_blocks_hours", "usage_blocks", {"hours": 12}),
    ("usage_blocks_calls", "usage_blocks", {"hours": 6, "calls": 1, "failed": 1, "cancelled": 1}),
    ("usage_blocks_charge", "usage_blocks", {"hours": 6, "charge": -1}),
    ("usage_blocks_charge", "usage_blocks", {"hours": 6, "written_off": -1}),
    ("usage_wallet_blocks_pkey", "usage_wallet_blocks", {}),
    ("usage_wallet_blocks_wallet_id_fkey", "usage_wallet_blocks", {"wallet_id": "w-2"}),
    ("usage_last_uses_pkey", "usage_last_uses", {}),
    ("usage_last_uses_wallet_id_fkey", "usage_last_uses", {"wallet_id": "w-2"}),
    ("usage_endpoints_pkey", "usage_endpoints", {}),
    ("usage_endpoints_wallet_id_fkey", "usage_endpoints", {"wallet_id": "w-2"}),
    ("usage_endpoints_calls", "usage_endpoints", {"hour": 1, "calls": 0}),
    ("usage_failures_pkey", "usage_failures", {}),
    ("usage_failures_wallet_id_fkey", "usage_failures", {"wallet_id": "w-2"}),
    ("usage_failures_calls", "usage_failures", {"hour": 1, "calls": 0}),
    ("usage_refusals_pkey", "usage_refusals", {}),
    ("usage_refusals_wallet_id_fkey", "usage_refusals", {"wallet_id": "w-2"}),
    ("usage_refusals_status", "usage_refusals", {"status": 200}),
    ("usage_refusals_calls", "usage_refusals", {"hour": 1, "calls": 0}),
    ("refused_calls_pkey", "refused_calls", {}),
    ("refused_calls_wallet_id_fkey", "refused_calls", {"id": "r-2", "wallet_id": "w-2"}),
    ("refused_calls_status", "refused_calls", {"id": "r-2", "status": 200}),
    ("usage_rollup_pkey", "usage_rollup", {}),
    ("usage_rollup_only", "usage_rollup", {"id": 2}),
]  # fmt: skip
"""Which constraint refuses a row that differs from the valid one like this."""


def test_rows_that_keep_every_rule_are_taken(any_url: str) -> None:
    engine = engine_for(any_url)

    with closing(engine.open_connection()) as connection:
        for table, row in ROWS.items():
            insert(engine, connection, table, row)
        insert(engine, connection, "transactions",
               ROWS["transactions"] | PAID | {"paystack_ref": "cc-2"})  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Any]]:
    """A connection to a database with one valid row in each table."""
    if request.param == "sqlite":
        yield from _filled(f"sqlite:///{tmp_path_factory.mktemp('filled') / 'credits.db'}")
    else:
        with fresh_postgres_database() as url:
            yield from _filled(url)


def _filled(url: str) -> Iterator[tuple[Engine, Any]]:
    migrate(url)
    engine = engine_for(url)
    with closing(engine.open_connection()) as connection:
        for table, row in ROWS.items():
            insert(engine, connection, table, row)
        connection.commit()
        yield engine, connection


@pytest.mark.parametrize(("constraint", "table", "changes"), VIOLATIONS)
def test_a_row_that_breaks_a_rule_is_refused(
    filled: tuple[Engine, Any], constraint: str, table: str, changes: dict[str, object]
) -> None:
    engine, connection = filled

    with pytest.raises(engine.driver_error) as refusal:
        insert(engine, connection, table, ROWS[table] | changes)
    connection.rollback()

    assert engine.fault(refusal.value) in {Fault.REFUSED, Fault.TAKEN}
    if engine.provider == "postgres":
        assert refusal.value.diag.constraint_name == constraint  # type: ignore[attr-defined]
    elif not constraint.endswith(("key", "_fkey")):
        assert str(refusal.value) == f"CHECK constraint failed: {constraint}"


def test_every_constraint_is_tried() -> None:
    with fresh_postgres_database() as url:
        migrate(url)
        with closing(engine_for(url).open_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE contype IN ('c', 'u', 'f', 'p')"
                " AND connamespace = 'public'::regnamespace"
            )
            constraints = {name for (name,) in cursor.fetchall()} - {"alembic_version_pkc"}

    assert {constraint for constraint, _, _ in VIOLATIONS} == constraints


@pytest.mark.parametrize(
    ("column", "value"), [("posted", "ten"), ("posted", None), ("posted", 2**63)]
)
def test_an_amount_is_a_64_bit_integer(
    filled: tuple[Engine, Any], column: str, value: object
) -> None:
    engine, connection = filled
    row = ROWS["wallets"] | {"id": "w-2", "owner_id": "p-2", column: value}

    with pytest.raises((engine.driver_error, OverflowError)):
        insert(engine, connection, "wallets", row)
    connection.rollback()
