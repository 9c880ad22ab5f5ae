"""The courier carries between keeper and broker and reads nothing of it."""
