"""Real programs that go round a router, and everyday ones that do not, run as a resident would run them.

`elsewhere` is the machine they talk to, `around` those that go round, `everyday` the others, `run` lets
each do its work on a device of its own behind a real box, and `table` says what the box made of it.
"""
