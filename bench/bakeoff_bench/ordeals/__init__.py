"""Ordeals: small experiments that are more than one fault at one point, each judged from the ledger."""
