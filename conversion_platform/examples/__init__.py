"""The platform on published data sets, by settings alone.

Each example copies tables and settings into a folder, runs the platform's assets and evaluates the
result. It contains no code that the platform needs.
"""
