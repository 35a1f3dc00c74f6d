"""A conformance suite for the Azure OpenAI data-plane REST API that proves its own verdicts."""

__version__ = "0.1.0"
