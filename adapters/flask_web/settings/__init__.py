"""Everything the operator can set, read once from the environment."""

from adapters.flask_web.settings.faults import SettingsError
from adapters.flask_web.settings.sandbox import (
    SANDBOX_LITELLM_KEY,
    SANDBOX_PAYSTACK_KEY,
    SANDBOX_SUPABASE_KEY,
)
from adapters.flask_web.settings.settings import Settings

__all__ = [
    "SANDBOX_LITELLM_KEY",
    "SANDBOX_PAYSTACK_KEY",
    "SANDBOX_SUPABASE_KEY",
    "Settings",
    "SettingsError",
]
