"""The interface for programs: everything the pages do, as JSON under `/api/v1`, described by OpenAPI 3.1."""
