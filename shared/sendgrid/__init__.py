"""Everything about SendGrid: what its API means, how to send, when to wait, what to check first.

`api` and `decisions` are pure: they build requests, decipher responses and decide what to do about them.
`client` sends over HTTP, `rate_limiter` shares the limits between instances, `gateway` puts them together.
"""
