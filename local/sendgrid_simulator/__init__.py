"""A stand-in for SendGrid's v3 marketing API: state in memory, documented behaviour, faults on request.

What it does and why stands in the modules: `limits` and `validation` say what is refused, `people` and `jobs`
what becomes of an accepted request, `gateway` in which order a request is judged, `faults` what can be made
to go wrong. Where SendGrid's documentation is silent, the docstring says that the behaviour is our choice.
"""
