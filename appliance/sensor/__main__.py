"""`python -m appliance.sensor --config box.toml`."""

from __future__ import annotations

from appliance import service
from appliance.sensor.main import main

if __name__ == "__main__":
    service.run("sensor", main)
