"""Messages to addresses that others have named: signed, and to where they may go only.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""
