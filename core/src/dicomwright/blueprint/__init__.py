"""The blueprint language: which rule makes which tag."""
