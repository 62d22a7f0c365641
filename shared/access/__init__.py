"""Who calls, and what they may do: `callers` and `tokens` tell who, `policy` says what."""
