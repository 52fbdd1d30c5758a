"""The ledger as a whole: commits in groups, gifts, the audit."""
