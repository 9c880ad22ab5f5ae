"""The officers' pages: stored rows -> page context (a frozen dataclass) -> template."""
