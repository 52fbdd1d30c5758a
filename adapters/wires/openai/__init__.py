"""Protocols of OpenAI: chat and legacy completions, embeddings, responses."""
