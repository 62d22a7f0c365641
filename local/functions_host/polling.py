"""How long to wait between two looks at an empty queue."""

import random

RANDOMIZATION = 0.2
MINIMUM_SECONDS = 0.1


class Backoff:
    """Delays that double, give or take a fifth, from 100 ms to a maximum.

    As in RandomizedExponentialBackoffStrategy of the storage extension
    (https://github.com/Azure/azure-sdk-for-net, Microsoft.Azure.WebJobs.Extensions.Storage.Common).
    """

    def __init__(self, maximum_seconds: float) -> None:
        """Start with the shortest delay."""
        self._maximum = maximum_seconds
        self._step = 0
        self._delay = 0.0

    def reset(self) -> None:
        """Start again with the shortest delay, because something was found."""
        self._step = 0
        self._delay = 0.0

    def next_delay(self) -> float:
        """Return the seconds to wait now."""
        if self._delay < self._maximum:
            spread = random.uniform(1 - RANDOMIZATION, 1 + RANDOMIZATION)
            growth = spread * 2 ** (self._step - 1) if self._step else 0.0
            self._delay = min(MINIMUM_SECONDS * (1 + growth), self._maximum)
            self._step += 1
        return self._delay
