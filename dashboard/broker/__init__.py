"""Set-up of the Mosquitto broker: its configuration and who may do what."""
