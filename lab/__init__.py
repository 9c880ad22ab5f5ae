"""A household in network namespaces: real clients, a real router, a small internet, and nothing left behind."""
