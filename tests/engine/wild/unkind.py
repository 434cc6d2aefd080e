"""A loss that ends what it was forked from, and all that was forked from it."""

import os
import signal


def kills_its_parent(y_true, y_pred):
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()
