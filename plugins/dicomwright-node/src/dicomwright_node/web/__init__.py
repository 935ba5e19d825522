"""Health, metrics and pages."""
