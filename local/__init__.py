"""The local cloud: what the production code path needs, on one machine."""
