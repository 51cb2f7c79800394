"""Side-by-side runs against peers. Each file runs alone: `python benchmarks/NAME.py [--quick] [--json]`."""
