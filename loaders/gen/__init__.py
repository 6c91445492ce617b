"""Gen's nouns as their changes need them: statements over several tables, locks and lines of rows, as plain values."""
