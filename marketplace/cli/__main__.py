"""`python -m marketplace.cli` is `leadbourse`."""

from marketplace.cli import main

main()
