"""Evidence bundles at the dashboard: for the pages see `shelf` (`bundles_of`, `certify`, `octets_of`, `drop`)."""
