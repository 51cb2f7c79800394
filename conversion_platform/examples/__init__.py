"""The platform on data that nobody here made, through settings alone.

A module here fetches tables, puts settings beside them, runs the same assets as everybody else and
judges what came out. What belongs to the platform itself does not belong here.
"""
