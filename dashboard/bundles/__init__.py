"""Evidence bundles at the dashboard: for the pages see `shelf` (`bundles_of`, `certify`, `chunk_of`)."""
