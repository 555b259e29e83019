"""Runs a command, and prints its wall seconds and the most memory (KiB) that it or a child of it held."""

import resource
import subprocess
import sys
import time

start = time.perf_counter()
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
seconds = time.perf_counter() - start
if code:
    sys.exit(code)
print(seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
