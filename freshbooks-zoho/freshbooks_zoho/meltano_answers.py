"""Several questions to Meltano's command line, answered by one interpreter: a script, run by Meltano's own Python.

Most of the time that Meltano takes for an answer goes into importing itself, so that is done once. The argument is a
JSON list of command lines, without the program's name; stdout is a JSON list of what each has shown, or why it failed.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path


def main() -> None:
    """Answer the questions."""
    # This folder's modules are not for Meltano.
    sys.path = [folder for folder in sys.path if folder != str(Path(__file__).parent)]
    from meltano.cli.cli import cli  # noqa: PLC0415

    answers = []
    for question in json.loads(sys.argv[1]):
        shown = io.StringIO()
        try:
            with contextlib.redirect_stdout(shown):
                cli(question, obj={"project": None}, standalone_mode=False)
        except Exception as error:  # noqa: BLE001 - whoever asks says what it means
            answers.append({"failed": str(error)})
        else:
            answers.append({"shown": shown.getvalue()})
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
