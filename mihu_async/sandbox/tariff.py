"""The rates of outbound calls in the sandbox: a made-up table, determined by the seed.

The fields are documented. The values of `origination` and the length of the real table are not; they are inferred from
the names.
"""

from collections.abc import Iterator

from mihu_async.sandbox.rows import Rate
from mihu_async.sandbox.seeding import random_stream

COUNTRIES = {
    "AT": ("Austria", "43", "6"),
    "AU": ("Australia", "61", "4"),
    "BE": ("Belgium", "32", "4"),
    "BR": ("Brazil", "55", "9"),
    "CH": ("Switzerland", "41", "7"),
    "CZ": ("Czechia", "420", "6"),
    "DE": ("Germany", "49", "1"),
    "DK": ("Denmark", "45", "2"),
    "ES": ("Spain", "34", "6"),
    "FI": ("Finland", "358", "4"),
    "FR": ("France", "33", "6"),
    "GB": ("United Kingdom", "44", "7"),
    "GR": ("Greece", "30", "6"),
    "IE": ("Ireland", "353", "8"),
    "IN": ("India", "91", "9"),
    "IT": ("Italy", "39", "3"),
    "JP": ("Japan", "81", "9"),
    "NL": ("Netherlands", "31", "6"),
    "NO": ("Norway", "47", "4"),
    "PL": ("Poland", "48", "5"),
    "PT": ("Portugal", "351", "9"),
    "SE": ("Sweden", "46", "7"),
    "TR": ("Turkey", "90", "5"),
    "US": ("United States", "1", "2"),
}
"""The name, the calling code and the digit for mobile numbers of each country."""

MOBILE_NETWORKS = 7
ORIGINATIONS = ("domestic", "EEA", "other")
AMOUNTS = (0.005, 0.0085, 0.012, 0.02, 0.035, 0.0499, 0.11, 0.25)
SECONDS = (1, 6, 30, 60)


def make_rates(seed: int) -> Iterator[Rate]:
    """Make up the table: fixed lines and mobile networks of each country, a price for each origination."""
    random = random_stream(seed, "rates")
    for country_code, (name, calling_code, mobile) in COUNTRIES.items():
        networks = {f"{calling_code}{mobile}{digit}": f"{name}, mobile {digit}" for digit in range(MOBILE_NETWORKS)}
        for prefix, description in {calling_code: f"{name}, fixed line", **networks}.items():
            for origination in ORIGINATIONS:
                yield Rate(
                    country_code=country_code,
                    country_name=name,
                    destination_prefix=prefix,
                    origination=origination,
                    description=description,
                    min_duration_seconds=random.choice(SECONDS),
                    billing_increment_seconds=random.choice(SECONDS),
                    amount=random.choice(AMOUNTS),
                )
