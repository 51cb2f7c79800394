"""What counts as a phone number: one test for sending, for the report and for what is personal."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=200_000)
def normalised_phone(phone: str | None, country: str) -> str | None:
    """`phone` as +15125550123, or None where it is no valid number.

    Args:
        phone: As the source has it.
        country: Two-letter region of numbers that are written without +.
    """
    import phonenumbers

    if phone is None:
        return None
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
