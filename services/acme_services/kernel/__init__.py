"""Vocabulary that every domain may use: pure values and errors, no I/O and no business word."""
