"""Faults made on purpose, each with the promise that is kept under it."""
