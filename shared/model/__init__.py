"""What things are called: definitions, runs, messages, reasons, rejections. No behaviour, no outside.

Every other room imports from here; this one imports only the limits.
"""
