"""Signed messages to a program of the operator's, as Standard Webhooks has them."""

from __future__ import annotations

from adapters.webhooks.public import PublicWebhooks
from adapters.webhooks.sender import StandardWebhook

__all__ = ["PublicWebhooks", "StandardWebhook"]
