"""What there is to read: every table of the lake and every type of the event log, as views.

Knows all tables, their columns, and which of those are personal (`personal.py`).
"""

from conversion_platform.catalog.personal import may_be_hidden
from conversion_platform.catalog.tables import CatalogEntry, catalog, lake_tables
from conversion_platform.catalog.views import attach_views

__all__ = [
    "CatalogEntry",
    "attach_views",
    "catalog",
    "lake_tables",
    "may_be_hidden",
]
