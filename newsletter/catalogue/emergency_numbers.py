"""Whom to call in a medical emergency, country by country.

112 holds in every country of the European Union (Directive (EU) 2018/1972, article 109); elsewhere
the number that sends an ambulance. As of November 2026. A publisher outside this list, or one that
knows a better number for its readers, leaves the newsletter's country empty and writes the number.
"""

from django.utils.translation import gettext_lazy as _

# ISO 3166-1 alpha-2 → name and number.
_COUNTRIES = {
    "AR": (_("Argentina"), "107"),
    "AT": (_("Austria"), "112"),
    "AU": (_("Australia"), "000"),
    "BE": (_("Belgium"), "112"),
    "BG": (_("Bulgaria"), "112"),
    "BR": (_("Brazil"), "192"),
    "CA": (_("Canada"), "911"),
    "CH": (_("Switzerland"), "144"),
    "CL": (_("Chile"), "131"),
    "CO": (_("Colombia"), "123"),
    "CY": (_("Cyprus"), "112"),
    "CZ": (_("Czechia"), "112"),
    "DE": (_("Germany"), "112"),
    "DK": (_("Denmark"), "112"),
    "EE": (_("Estonia"), "112"),
    "EG": (_("Egypt"), "123"),
    "ES": (_("Spain"), "112"),
    "FI": (_("Finland"), "112"),
    "FR": (_("France"), "112"),
    "GB": (_("United Kingdom"), "999"),
    "GR": (_("Greece"), "112"),
    "HR": (_("Croatia"), "112"),
    "HU": (_("Hungary"), "112"),
    "IE": (_("Ireland"), "112"),
    "IL": (_("Israel"), "101"),
    "IN": (_("India"), "112"),
    "IS": (_("Iceland"), "112"),
    "IT": (_("Italy"), "112"),
    "JO": (_("Jordan"), "911"),
    "JP": (_("Japan"), "119"),
    "KR": (_("South Korea"), "119"),
    "LT": (_("Lithuania"), "112"),
    "LU": (_("Luxembourg"), "112"),
    "LV": (_("Latvia"), "112"),
    "MT": (_("Malta"), "112"),
    "MX": (_("Mexico"), "911"),
    "NL": (_("Netherlands"), "112"),
    "NO": (_("Norway"), "113"),
    "NZ": (_("New Zealand"), "111"),
    "PL": (_("Poland"), "112"),
    "PT": (_("Portugal"), "112"),
    "RO": (_("Romania"), "112"),
    "SE": (_("Sweden"), "112"),
    "SI": (_("Slovenia"), "112"),
    "SK": (_("Slovakia"), "112"),
    "TR": (_("Türkiye"), "112"),
    "US": (_("United States"), "911"),
}

COUNTRIES = [(code, name) for code, (name, _number) in _COUNTRIES.items()]


def number_for(country: str, otherwise: str) -> str:
    """Return the number to call in `country`, or `otherwise` for one that we do not know."""
    found = _COUNTRIES.get(country.upper())
    return found[1] if found else otherwise
