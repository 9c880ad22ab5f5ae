"""From the broker into the tables, and commands the other way."""
