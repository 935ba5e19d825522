"""The engine: compile blueprints once, then only move bytes."""
