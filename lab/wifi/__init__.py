"""A Wi-Fi that is none: hostapd and stations over radios of memory (mac80211_hwsim), inside a guest (`lab.guest`)."""
