"""The protocols clients speak: requests understood, answers metered."""
