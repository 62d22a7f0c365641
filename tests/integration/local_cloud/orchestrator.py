"""Starts a local cloud in the directory given, prints its ports as JSON, and waits for whatever ends it."""

import json
import sys
import time
from pathlib import Path

from local.cloud import LocalCloud
from tests.integration.local_cloud.support import ports


def main(directory: str) -> None:
    with LocalCloud(Path(directory)) as cloud:
        print(json.dumps(sorted(ports(cloud))), flush=True)  # noqa: T201 - this is the answer to the test
        time.sleep(600)


if __name__ == "__main__":
    main(sys.argv[1])
