"""A week in a household as a capture with packet time: kernel timers cannot be compressed, stories can."""
