"""Measurements, each beside a peer in the same run. `make bench` runs them; docs/measurements.md keeps them."""
