"""Telling others what happened: signed messages to addresses that administrators name.

A change of state is noted and put on a queue, in that order, by whoever makes it; nothing here can fail or hold a
run. All else is work of the queue.
"""
