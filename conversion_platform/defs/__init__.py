"""Dagster definitions: assets, checks, jobs, schedules, sensors, resources.

One package a stage, left to right. An asset body reads like a table of contents: it takes the
platform and the days, calls one function of a domain package, and attaches metadata.
"""
