"""The version, alone, so that it is read without importing the package."""

__version__ = "0.1.0"
