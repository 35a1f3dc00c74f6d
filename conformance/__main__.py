"""``python -m conformance`` and the installed command ``aoai-conformance``."""

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line and return the exit code: 130 (128 + SIGINT, as shells report it) after Ctrl-C.

    The imports are inside, because they take the first second of a command and Ctrl-C may come then.
    """
    try:
        from conformance.cli import main as command

        return command()
    except KeyboardInterrupt:
        sys.stderr.write("aoai-conformance: interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
