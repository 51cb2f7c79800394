"""conversion-platform: from a marketplace's tables to the job of the day, every day.

The domain packages hold the logic and import no Dagster; `conversion_platform.defs` turns
them into software-defined assets. docs/architecture.md draws the whole.
"""
