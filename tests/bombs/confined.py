"""Renders a source in a separate process, which is bounded in time and memory.

So a hang or too much memory is an outcome that a test can check, and does not stop the test run.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import image_processor

SECONDS = 10  # the bound for any source, in docs/limits.md
# Bytes. More is mapped than used: the libraries, and the stacks and arenas of AVIF's threads.
ADDRESSES = 4 * 1024**3
CHILD = """
import json, resource, sys, time
seconds, addresses = int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_CPU, (2 * seconds, 2 * seconds + 1))
if sys.platform == "linux":  # macOS has RLIMIT_AS and ignores it
    resource.setrlimit(resource.RLIMIT_AS, (addresses, addresses))
import warnings
warnings.simplefilter("ignore")
from image_processor.engine.decoding import SOURCE_FORMATS, load_plugin
from image_processor.engine.render import render
from image_processor.transformations.transformation import Transformation
def peak():
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 ** 2
    with open("/proc/self/status") as status:  # ru_maxrss is inherited from the process that started this one
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1024
for name in SOURCE_FORMATS:
    load_plugin(name)
with open(sys.argv[1], "rb") as file:
    source = file.read()
before, started = peak(), time.process_time()
try:
    [rendition] = render(source, [Transformation.parse(sys.argv[4])])
    outcome, message = "rendered", f"{rendition.width}x{rendition.height}"
except BaseException as error:
    outcome, message = type(error).__name__, str(error)[:300]
print(json.dumps([outcome, message, time.process_time() - started, peak() - before]))
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What `render` did with a source: "rendered" or the error's class.

    Seconds are the processor's, because other tests distort the clock's. Megabytes are those added to the process.
    """

    outcome: str
    message: str
    seconds: float
    megabytes: float


def answer(source: bytes, transformation: str = "width=16,height=16") -> Answer:
    with tempfile.NamedTemporaryFile() as file:
        file.write(source)
        file.flush()
        command = [sys.executable, "-c", CHILD, file.name, str(SECONDS), str(ADDRESSES), transformation]
        environment = {"PYTHONPATH": str(Path(image_processor.__file__).parents[1])}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=4 * SECONDS)
        except subprocess.TimeoutExpired:
            return Answer("hang", f"no result in {4 * SECONDS} s of the clock", 4 * SECONDS, 0)
    if done.returncode:
        return Answer("death", f"exit {done.returncode}: {done.stderr[-300:]!r}", 2 * SECONDS, 0)
    return Answer(*json.loads(done.stdout))
