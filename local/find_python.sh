#!/bin/sh
# Prints the path of a Python 3.13 interpreter, or says in one sentence what is missing.
set -u
for candidate in "${PYTHON:-}" python3.13 python3 python; do
  [ -n "$candidate" ] || continue
  if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; then
    command -v "$candidate"
    exit 0
  fi
done
echo "Python 3.13 is missing: install it, or name it, as in: make PYTHON=/path/to/python3.13" >&2
exit 1
