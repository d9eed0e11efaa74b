"""How people write dates, beside ISO 8601."""

from itertools import product

__all__ = ["DATE_FORMATS", "swapped_order"]

# A date with points is day first wherever points are used; with slashes or hyphens it may be either.
_DAY_FIRST = ("%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y")
_MONTH_FIRST = ("%m/%d/%Y", "%m/%d/%y", "%m-%d-%Y")
_NAMED = (
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %d %Y",
    "%B %d %Y",
    "%b %Y",
    "%B %Y",
    "%b-%Y",
    "%m/%Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", " %H:%M:%S%z")

DATE_FORMATS = tuple(date + time for date, time in product(_DAY_FIRST + _MONTH_FIRST + _NAMED, _TIMES))


def swapped_order(time_format: str) -> str:
    """Returns the format with day and month in the other order."""
    return time_format.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")
