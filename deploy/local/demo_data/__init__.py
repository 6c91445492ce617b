"""The sample data of the demo and of the tests: real input, through the product's own mutations where one exists.

Every step may be run again: what is there already is left alone, what is half there is finished.
"""
