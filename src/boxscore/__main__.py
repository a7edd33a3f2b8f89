"""`python -m boxscore`: the same as the `boxscore` command."""

from boxscore.cli import main

if __name__ == "__main__":
    main()
