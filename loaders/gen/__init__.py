"""Statements over Gen's tables that its mutations and requests need: reads, locks and changes, as plain values."""
