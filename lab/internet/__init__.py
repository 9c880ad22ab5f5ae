"""The lab's internet: names, web servers over TCP and QUIC, and a machine that runs them."""
