"""The demo: a simulated marketplace, its history, and some days of the platform in closed loop."""

from conversion_platform.demo.run import MARKER, prepare, run_demo

__all__ = ["MARKER", "prepare", "run_demo"]
