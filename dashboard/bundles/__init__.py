"""Evidence bundles at the dashboard: parts in, one file out."""
