"""What there is to read, as views: tables of the lake, types of the event log, the registry.

Knows all tables and their columns. Personal tables have a view only where they are asked for: what
is hidden is whole files.
"""

from conversion_platform.catalog.tables import (
    CatalogEntry,
    catalog,
    lake_tables,
    personal_columns,
    viewed_tables,
)
from conversion_platform.catalog.views import attach_views

__all__ = [
    "CatalogEntry",
    "attach_views",
    "catalog",
    "lake_tables",
    "personal_columns",
    "viewed_tables",
]
