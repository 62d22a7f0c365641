"""The domain: what an export is, how it runs, and how it talks to SendGrid, storage and the vault."""

__version__ = "0.1.0"
