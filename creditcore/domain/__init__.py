"""The rules: values and pure decisions, nothing that waits or stores."""
