from click import echo

SAY = echo
