"""A household handed over to another operator: packed, signed and sealed here, opened and taken in there (R46)."""
