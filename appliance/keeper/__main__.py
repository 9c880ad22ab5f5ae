"""`python -m appliance.keeper --config box.toml`."""

from appliance.keeper.main import main
from appliance.service import run

run("keeper", main)
