"""The keeper's database: schema, transactions, outbox."""
