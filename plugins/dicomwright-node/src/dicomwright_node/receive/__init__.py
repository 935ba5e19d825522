"""How instances come in: C-STORE and STOW-RS."""
