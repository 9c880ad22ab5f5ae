"""Lists of names: normalising, loading, matching by whole labels."""
