"""Processes that end with the run, and their logs."""

import contextlib
import subprocess
import time


class RunError(Exception):
    """The run cannot go on. `log` is the file whose end tells why, if any."""

    def __init__(self, message, log=None):
        super().__init__(message)
        self.log = log


class Child(contextlib.AbstractContextManager):
    """A process whose output goes to a log file; leaving the context kills it, and so does the
    end of this process, however it comes."""

    def __init__(self, name, command, log, talks=False):
        """talks: the process reads what say() tells it."""
        self.name = name
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *(str(word) for word in command)],
                stdout=out, stderr=subprocess.STDOUT,
                stdin=subprocess.PIPE if talks else subprocess.DEVNULL)

    def say(self, line):
        """Sends the process a line; one that has ended hears nothing, which ended() tells."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()

    def ended(self):
        """True if the process has ended with status 0; raises RunError for another status."""
        status = self.process.poll()
        if status:
            raise RunError(f"{self.name} ended with status {status}", self.log)
        return status == 0

    def finish(self, seconds):
        """Waits for the process to end by itself with status 0."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RunError(f"{self.name} did not end within {seconds} s", self.log) from None
        self.ended()


def follow(path, deadline, writer_ended):
    """Gives the lines of a growing file until writer_ended() and all is read.

    Raises RunError when time.monotonic() passes the deadline before that; the message has the last
    line, which tells where things stopped.
    """
    partial = last = ""
    with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
        while True:
            ended = writer_ended()
            partial += file.read()
            *lines, partial = partial.split("\n")
            for line in lines:
                last = line.rstrip("\r")
                yield last
            if ended:
                return
            if time.monotonic() > deadline:
                raise RunError(f"time is up; the last line was: {last or 'none'}", path)
            time.sleep(0.02)
