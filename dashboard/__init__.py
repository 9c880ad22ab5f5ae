"""What officers see: ingest -> store -> pages. Imports `wire`, never the appliance."""
