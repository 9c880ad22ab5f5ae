"""Real programs that go round a router, or do not, run as a resident would run them."""
