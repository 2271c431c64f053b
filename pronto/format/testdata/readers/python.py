# python3 python.py FILE…: what python-dotenv reads of each file, an object a
# line; null where it refuses the file or a line of it.
import json
import logging
import sys

import dotenv


class Warned(logging.Handler):
    def emit(self, record):
        self.warned = True


handler = Warned()
logging.getLogger("dotenv").addHandler(handler)
for file in sys.argv[1:]:
    handler.warned = False
    try:
        values = dotenv.dotenv_values(file, encoding="utf-8")
    except UnicodeDecodeError:
        values = None
    print(json.dumps(None if handler.warned else values))
