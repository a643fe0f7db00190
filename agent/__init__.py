"""The Document Extraction Agent: A2A in, typed values with proof out."""

__version__ = "0.1.0"
