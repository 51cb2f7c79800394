"""The demo: a simulated marketplace with history, and days of the platform in a closed loop."""

from conversion_platform.demo.run import MARKER, prepare, run_demo

__all__ = ["MARKER", "prepare", "run_demo"]
