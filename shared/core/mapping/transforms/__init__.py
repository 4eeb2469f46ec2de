"""The transforms: named, two-way, pure, each with examples.

Values arrive as strings (a file export) or as JSON's own types, and go back as strings; a blank string and
null both mean "no value". What cannot be meant in exactly one way is refused with its rule, never guessed,
cut or rounded.
"""

from shared.core.mapping.transforms.choices import choice, status, yes_no
from shared.core.mapping.transforms.lookups import (
    by_name,
    currency_by_code,
    lookup,
    lookup_of_kind,
    owner_by_email,
    owner_by_name,
    price_list_by_currency,
)
from shared.core.mapping.transforms.numbers import decimal, integer, money
from shared.core.mapping.transforms.text import email, memo, text, url
from shared.core.mapping.transforms.times import Slashes, date, instant

__all__ = [
    "Slashes",
    "by_name",
    "choice",
    "currency_by_code",
    "date",
    "decimal",
    "email",
    "instant",
    "integer",
    "lookup",
    "lookup_of_kind",
    "memo",
    "money",
    "owner_by_email",
    "owner_by_name",
    "price_list_by_currency",
    "status",
    "text",
    "url",
    "yes_no",
]
