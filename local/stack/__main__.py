"""`python -m local.stack up|down|status|logs|run`: the stack of this checkout from the command line."""

import argparse
import sys


def main() -> int:
    """Runs one command; its exit status. A package that is missing is told in a sentence."""
    try:
        from local.stack.commands import add_commands, add_story_commands  # noqa: PLC0415 - so that it can be told
    except ModuleNotFoundError as fault:
        print(f"The package {fault.name} is not installed; run `python3 local/setup.py`.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nLeft before anything was begun.", file=sys.stderr)
        return 130
    parser = argparse.ArgumentParser(prog="python -m local.stack", description=__doc__)
    subparsers = parser.add_subparsers(required=True)
    add_commands(subparsers)
    add_story_commands(subparsers)
    asked = parser.parse_args()
    status: int = asked.handler(asked)
    return status


if __name__ == "__main__":
    sys.exit(main())
