"""The box's tamper-evident log and what is built of it."""
