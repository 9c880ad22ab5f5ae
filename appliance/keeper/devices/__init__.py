"""Devices: what identifies them, what they look like, what standing they have."""
