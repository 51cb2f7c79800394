"""stub"""
from typing import Any
def measured(*_: Any) -> Any:
    raise NotImplementedError
