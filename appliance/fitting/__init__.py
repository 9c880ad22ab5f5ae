"""From a new card to a working router: first boot, the set-up page, the light, enrolment, and the end of it all.

Run as root where keys are held (`gatehouse first-boot`, `python -m appliance.fitting`); what speaks to anybody is a
process of its own that has no key and no right (`appliance.fitting.front`).
"""
