"""`python -m appliance.probe --config box.toml [--kind sweep|services|dhcp]`."""

from __future__ import annotations

import sys

from appliance.probe.main import main

if __name__ == "__main__":
    sys.exit(main())
