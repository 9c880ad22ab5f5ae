"""Hostile bytes in, observations out: holds no capability, knows no order and no list."""
