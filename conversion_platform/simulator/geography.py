"""Metros, categories and wordings of the simulated marketplace. The metros are real."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metro:
    """A metropolitan area: its centre (degrees), zone, and area codes for 555-01xx numbers."""

    name: str
    state: str
    time_zone: str
    latitude: float
    longitude: float
    postal_prefix: str
    area_codes: tuple[int, ...]
    weight: float


METROS = (
    Metro(
        "new_york", "NY", "America/New_York", 40.7128, -74.006, "100",
        (212, 646, 332, 718, 347, 929, 917, 516, 631, 914, 845), 1.25,
    ),
    Metro(
        "los_angeles", "CA", "America/Los_Angeles", 34.0522, -118.2437, "900",
        (213, 323, 310, 424, 818, 747, 626, 562, 714, 657, 949), 1.2,
    ),
    Metro(
        "chicago", "IL", "America/Chicago", 41.8781, -87.6298, "606",
        (312, 773, 872, 708, 464, 847, 224, 630, 331, 815), 1.1,
    ),
    Metro(
        "dallas", "TX", "America/Chicago", 32.7767, -96.797, "752",
        (214, 469, 972, 945, 817, 682, 940, 903, 254, 430), 1.0,
    ),
    Metro(
        "miami", "FL", "America/New_York", 25.7617, -80.1918, "331",
        (305, 786, 645, 954, 754, 561, 728, 772, 239, 863), 0.95,
    ),
    Metro(
        "denver", "CO", "America/Denver", 39.7392, -104.9903, "802",
        (303, 720, 983, 970, 719), 0.55,
    ),
    Metro(
        "phoenix", "AZ", "America/Phoenix", 33.4484, -112.074, "850",
        (602, 480, 623, 520, 928), 0.55,
    ),
    Metro(
        "seattle", "WA", "America/Los_Angeles", 47.6062, -122.3321, "981",
        (206, 253, 425, 360, 564, 509), 0.6,
    ),
)  # fmt: skip

# Category, usual pay in dollars an hour, title.
CATEGORIES = (
    ("warehouse", 18.5, "Warehouse picker"),
    ("delivery", 20.0, "Delivery driver"),
    ("retail", 16.5, "Store associate"),
    ("kitchen", 17.0, "Line cook"),
    ("cleaning", 16.0, "Cleaner"),
    ("care", 19.0, "Home caregiver"),
    ("security", 19.5, "Security guard"),
    ("construction", 24.0, "Construction helper"),
)
SHIFTS = ("day", "evening", "night")
SHIFT_SHARES = (0.52, 0.30, 0.18)
REFERRALS = ("search", "friend", "billboard", "social", "job_fair")
CONSENT_SOURCES = ("signup_form", "app_settings", "paper_form")
CONSENT_TEXT = "I agree to get job offers by text. Msg & data rates may apply. Reply STOP to end."
ABOUT = (
    "Looking for steady hours close to home.",
    "Can start right away, weekends are fine.",
    "Saving for school, happy to learn.",
    "Experienced, reliable, own tools.",
    "Part time only; please no calls before noon.",
    "Ten years in the trade, references on request.",
    "New in town and open to most things.",
)
STOP_WORDINGS = (
    "STOP", "stop", "Stop.", "STOP!!", " stop ", "Unsubscribe", "UNSUBSCRIBE", "cancel", "END",
    "Quit", "opt out", "OPT-OUT", "optout", "STOPALL", "Revoke", "remove", "please stop texting me",
    "Stop texting me", "no more", "wrong number", "Remove me from your list", "arret",
)  # fmt: skip
QUESTIONS = (
    "Is this job still open?", "How much does it pay?", "When can I start?", "Do I need a car?",
    "who is this", "What shift is it?", "Can my brother apply too?", "HELP",
)  # fmt: skip
NONSENSE = ("ok", "👍", "asdfgh", "lol", "Thx", "??", "new phone", "happy monday", "k", "🙏🙏")
