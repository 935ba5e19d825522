"""The commands below ``dicomwright node``."""
