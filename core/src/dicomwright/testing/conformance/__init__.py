"""Batteries of tests, a class for each kind of thing that plug-ins provide."""
