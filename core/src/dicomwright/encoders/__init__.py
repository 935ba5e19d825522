"""Encoders: how a payload becomes instances of an IOD, as blueprints."""
