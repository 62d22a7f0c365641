"""The triggers: each function parses what woke it, makes one call into `shared`, and answers."""
