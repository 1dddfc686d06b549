"""The time zone in which people of a region read the clock, as far as one zone can be told from its code."""

# Where nearly everybody of a country, or of a subdivision that differs, lives by one clock.
_ZONES = {
    "AT": "Europe/Vienna", "BA": "Europe/Sarajevo", "BE": "Europe/Brussels", "CH": "Europe/Zurich",
    "CZ": "Europe/Prague", "DE": "Europe/Berlin", "DK": "Europe/Copenhagen", "ES": "Europe/Madrid",
    "ES-CN": "Atlantic/Canary", "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London",
    "GR": "Europe/Athens", "HR": "Europe/Zagreb", "HU": "Europe/Budapest", "IE": "Europe/Dublin", "IT": "Europe/Rome",
    "LU": "Europe/Luxembourg", "ME": "Europe/Podgorica", "NL": "Europe/Amsterdam", "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw", "PT": "Europe/Lisbon", "PT-20": "Atlantic/Azores", "RO": "Europe/Bucharest",
    "RS": "Europe/Belgrade", "SE": "Europe/Stockholm", "SI": "Europe/Ljubljana", "SK": "Europe/Bratislava",
    "VN": "Asia/Ho_Chi_Minh",
}  # fmt: skip
# States of more than one zone are left out, but for those where all but a few live in one.
_AMERICAN = {
    "America/New_York": "CT DC DE GA MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL LA MN MO MS OK TX WI",
    "America/Denver": "CO MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV WA",
    "Pacific/Honolulu": "HI",
}
_ZONES |= {f"US-{state}": zone for zone, states in _AMERICAN.items() for state in states.split()}


def zone_of(region: str) -> str | None:
    """Return the IANA zone of a region's code; None where its people live by several clocks or nobody wrote it down."""
    return _ZONES.get(region) or (None if region.startswith("US-") else _ZONES.get(region.partition("-")[0]))
