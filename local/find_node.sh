#!/bin/sh
# Says in one sentence what is missing when there is no Node.js 20 or newer with npm.
set -u
if ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)' 2>/dev/null; then
  echo "Node.js 20 or newer is missing: install it; Azurite, the storage emulator, runs on it." >&2
  exit 1
fi
if ! command -v npm >/dev/null; then
  echo "npm is missing: install it; it comes with Node.js." >&2
  exit 1
fi
