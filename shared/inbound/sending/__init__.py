"""Answers to next steps: the ledger, the pace."""
