"""How the box stays well: taking releases, proving them after a start, going back where they are not."""
