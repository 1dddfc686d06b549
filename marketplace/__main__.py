"""`python -m marketplace` is `leadbourse`."""

from marketplace.program import main

if __name__ == "__main__":
    main()
