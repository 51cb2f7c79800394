"""Generates source trees: files, folders and settings such as real exports have, by number."""

from conversion_platform_tests.marketplace.generated.trees import Tree, tree

__all__ = ["Tree", "tree"]
