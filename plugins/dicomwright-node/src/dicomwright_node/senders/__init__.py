"""Senders: C-STORE and STOW-RS. They transmit once and say what the other side said; the core does the rest."""
