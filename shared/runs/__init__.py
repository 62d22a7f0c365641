"""The life of a run, a module a step: start, plan, deliver, confirm, finish, and cancel, retry.

`sweep`, `suspects` and `dead_letters` look after what was cut off. `outcomes`, `delivery_state` and `schedule`
decide and are pure; `views`, `progress` and `preview` show.
"""
