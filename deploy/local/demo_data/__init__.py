"""The sample data of the demo and of the tests: real input, loaded with the product's own mutations where they exist.

Every step can be repeated: existing data are left alone, and incomplete data are completed.
"""
