"""Versioned messages that cross the network between a box and its dashboard. Imports nothing of ours."""
