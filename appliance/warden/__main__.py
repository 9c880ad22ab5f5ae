"""`python -m appliance.warden --config box.toml`."""

from __future__ import annotations

from appliance import service
from appliance.warden.main import main

if __name__ == "__main__":
    service.run("warden", main)
