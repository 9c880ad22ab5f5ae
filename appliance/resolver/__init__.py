"""The filtering resolver: a second dnsmasq for devices whose clause asks for it.

In: what the keeper says is to be refused, and the household. Out: a running dnsmasq, and whether it is ready.
"""
