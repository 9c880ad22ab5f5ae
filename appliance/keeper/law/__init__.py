"""What the law asks of the keeper: time, authority over time, retention, keys, holds, masks."""
