"""A household that there is not: made by a seed, to learn with and to measure with."""
