"""Definitions as files: what differs from the app, and how to bring the app to them."""
