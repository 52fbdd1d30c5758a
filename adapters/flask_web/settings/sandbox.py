"""The keys of the stand-ins that ``make run`` starts. Production refuses them."""

SANDBOX_PAYSTACK_KEY = "sk_test_sandbox"
SANDBOX_LITELLM_KEY = "sk-sandbox-master"
SANDBOX_SUPABASE_KEY = "sb_secret_sandbox"
