"""`python -m appliance.resolver --config box.toml`: the process that filters names for some devices."""

from __future__ import annotations

from appliance import service
from appliance.resolver.main import main

if __name__ == "__main__":
    service.run("resolver", main)
