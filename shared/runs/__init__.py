"""The life of a run, a module a step: start, plan, deliver, confirm, finish; cancel, retry, sweep, dead letters.

`outcomes`, `delivery_state` and `schedule` decide and are pure; `views`, `progress` and `preview` show.
"""
