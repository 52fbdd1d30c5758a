"""LiteLLM: its price list, and inference through it or any OpenAI-compatible server."""
