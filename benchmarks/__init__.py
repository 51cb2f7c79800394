"""Side-by-side runs against peers; each file runs alone.

`python benchmarks/NAME.py [--quick] [--json]`.
"""
