"""The hot path on PostgreSQL: many calls in one transaction, in two round trips or one."""
