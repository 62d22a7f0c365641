"""The audit log: who did what, on what, with what result."""
