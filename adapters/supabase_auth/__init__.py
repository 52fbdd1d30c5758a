"""Accounts kept by Supabase Auth."""

from adapters.supabase_auth.api_keys import ApiKey
from adapters.supabase_auth.client import GoTrueClient
from adapters.supabase_auth.identity import SupabaseIdentityProvider
from adapters.supabase_auth.operators import SupabaseOperators

__all__ = ["ApiKey", "GoTrueClient", "SupabaseIdentityProvider", "SupabaseOperators"]
