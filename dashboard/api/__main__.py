"""Writes the description of the interface: `python -m dashboard.api > docs/openapi.json`.

In: nothing. Out: the OpenAPI 3.1 document of the pages as they are. Makes an app on a database that nobody uses.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from pathlib import Path

import click

from dashboard.api.install import EXTENSION, described
from dashboard.app import create_app
from dashboard.settings import DashboardSettings


@click.command()
def main() -> None:
    """Print the document."""
    with tempfile.TemporaryDirectory() as folder:
        secret = Path(folder) / "secret"
        secret.write_bytes(secrets.token_bytes(32))
        settings = DashboardSettings.model_validate(
            {
                "database_url": f"sqlite:///{folder}/none.db",
                "tenant": "none",
                "operator": "None",
                "secret_key_file": secret,
            }
        )
        app = create_app(settings)
        click.echo(json.dumps(described(app.extensions[EXTENSION].api), indent=1, ensure_ascii=False, sort_keys=True))
        app.extensions["gatehouse"].engine.dispose()


if __name__ == "__main__":
    main()
