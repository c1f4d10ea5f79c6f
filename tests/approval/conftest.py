from tests.desk.conftest import desk

__all__ = ["desk"]
