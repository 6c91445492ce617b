"""Real data for the demo and the tests, taken out of packages of PyPI without installing them or running their code."""
