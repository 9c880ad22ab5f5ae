"""A household that there is not: made by a seed, to learn with and to measure with."""

TENANT_PREFIX = "demo:"
"""So begins the tenant of a demonstration; no operator's can, as a colon is in no name of the settings."""
