"""Print the tables of docs/settings.md: `python -m conversion_platform.settings`."""

from conversion_platform.settings.reference import reference_table

print(reference_table(), end="")
