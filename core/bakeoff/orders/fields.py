"""Fields of an order as files spell them; each function returns the value or says why it is refused."""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation
from typing import Any

#: ISO 4217 minor units that are not hundredths.
_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF"), 0),
    **dict.fromkeys(("UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}

#: Ids become workflow ids, which become names in brokers, URLs and keys.
_ORDER_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/#@+-]{0,99}$")
_SKU_LENGTH = 100
#: Far above any basket, far below what a 64-bit sum over a run can hold.
_MOST_UNITS = 10_000_000
_MOST_MINOR = 10**12
#: Of a line, units and price together: a run adds up many.
_MOST_OF_A_LINE = 10**14


class Refused(Exception):
    """The text of the exception is the reason."""


def order_id(value: Any) -> str:
    """An order id: letters, digits and ``. _ / # @ + -``, at most 100 characters."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise Refused("no order id")
    if not _ORDER_ID.fullmatch(text):
        raise Refused(f"order id {shown(text)} may hold only letters, digits and . _ / # @ + -, at most 100")
    return text


def sku(value: Any) -> str:
    """A stock code in upper case: data sets write ``85123a`` and ``85123A`` for one product."""
    text = str(value).strip().upper() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise Refused("no stock code")
    if len(text) > _SKU_LENGTH or not text.isprintable():
        raise Refused(f"stock code {shown(text)} is longer than {_SKU_LENGTH} characters or not printable")
    return text


def quantity(value: Any, *, cancelled: bool) -> int:
    """Units of an order; a cancelled one may write them negative, as cancelling invoices do."""
    number = _decimal(value, "quantity")
    if number != number.to_integral_value():
        raise Refused(f"quantity {shown(value)} is not a whole number")
    units = int(number)
    if units == 0 or (units < 0 and not cancelled):
        raise Refused(f"quantity {units} is not positive")
    if abs(units) > _MOST_UNITS:
        raise Refused(f"quantity {units} is above {_MOST_UNITS}")
    return abs(units)


def minor_units(value: Any, currency: str) -> int:
    """A positive price in integer minor units of its currency; nothing is rounded."""
    number = _decimal(value, "price")
    # The default context would round what has more than 28 digits.
    exact = Context(prec=len(number.as_tuple().digits))
    scaled = number.scaleb(_EXPONENTS.get(currency, 2), exact)
    if scaled <= 0:
        raise Refused(f"price {shown(value)} is not positive")
    if scaled != scaled.to_integral_value():
        raise Refused(f"price {shown(value)} is finer than the minor unit of {currency}")
    if scaled > _MOST_MINOR:
        raise Refused(f"price {shown(value)} is above {_MOST_MINOR} minor units")
    return int(scaled)


def check_line(units: int, price_minor: int) -> None:
    """That the sums of a run still fit into 64 bits."""
    if units * price_minor > _MOST_OF_A_LINE:
        raise Refused(f"{units} units at {price_minor} minor units are above {_MOST_OF_A_LINE} together")


def currency(value: Any) -> str:
    """Three letters; pounds where nothing is said."""
    text = str(value or "GBP").strip().upper()
    if not re.fullmatch(r"[A-Z]{3}", text):
        raise Refused(f"currency {shown(text)} is not three letters")
    return text


def truth(value: Any) -> bool:
    """``true``/``false``, ``yes``/``no``, ``1``/``0``, empty for no."""
    text = str(value if value is not None else "").strip().lower()
    if text not in ("", "0", "1", "true", "false", "yes", "no"):
        raise Refused(f"cancelled {shown(value)} is neither true nor false")
    return text in ("1", "true", "yes")


def optional_text(value: Any) -> str | None:
    """Text without surrounding blanks; ``None`` if there is none left."""
    text = "" if value is None else str(value).strip()
    if any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text):
        raise Refused(f"{ascii(text)[:40]} holds letters that no database takes")
    return text or None


def shown(value: Any) -> str:
    """A value as a message may repeat it."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _decimal(value: Any, what: str) -> Decimal:
    if isinstance(value, bool) or value is None or (isinstance(value, str) and not value.strip()):
        raise Refused(f"no {what}")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Refused(f"{what} {shown(value)} is not a number") from None
    if not number.is_finite() or abs(number.adjusted()) > 30:
        raise Refused(f"{what} {shown(value)} is not a usable number")
    return number
