"""Accounts kept by Supabase Auth."""
