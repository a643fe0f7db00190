"""`python -m agent` is the command `extraction-agent`."""

from agent.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
