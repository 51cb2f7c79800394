"""What there is to read: every table of the lake and every type of the event log, as views.

One place knows all tables, their columns and which of those hold personal data.
"""

from conversion_platform.catalog.tables import CatalogEntry, catalog, lake_tables
from conversion_platform.catalog.views import attach_views, may_be_hidden

__all__ = ["CatalogEntry", "attach_views", "catalog", "lake_tables", "may_be_hidden"]
