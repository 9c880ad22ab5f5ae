"""What the router is: `household.toml` in, configuration files out."""
