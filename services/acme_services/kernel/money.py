"""Money in whole minor units of an ISO 4217 currency; never a float, and no arithmetic across currencies."""

from dataclasses import dataclass

from acme_services.kernel.errors import Invalid

# Active ISO 4217 codes of moneys in circulation; metals, test codes and funds are left out.
CURRENCIES = frozenset(
    """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a table of words reads better than a hundred quotes
)
_LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in the smallest unit of its currency: 1999 EUR is 19.99 euro, 1999 JPY is 1999 yen."""

    minor_units: int
    currency: str


def price(minor_units: int, currency: str, field: str = "price") -> Money:
    """An amount that somebody can be asked to pay: zero or more of a known currency; else Invalid, naming `field`."""
    if currency not in CURRENCIES:
        raise Invalid(f"{field}.currency", f"{currency[:10]!r} is not an ISO 4217 code; write it like EUR")
    if not 0 <= minor_units <= _LARGEST:
        raise Invalid(f"{field}.minor_units", f"{minor_units} is not a price; it is zero or more minor units")
    return Money(minor_units, currency)
