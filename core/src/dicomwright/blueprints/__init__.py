"""The shipped blueprints: one TOML file for each IOD, and for each module that several IODs share."""
