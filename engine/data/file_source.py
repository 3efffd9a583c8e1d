"""A large file of a visitor, read by the process beside when somebody looks at it."""

import threading

from engine.data.description import DataDescription
from engine.data.examples import Examples
from engine.data.file_messages import Question, examples_of
from engine.data.file_reader import FileReader, Look
from engine.data.reading import AS_FOUND, Reading
from engine.data.sources import is_packed

SMALL = 2**20  # bytes of text, which are read sooner than a process starts
UNPACKS = 64  # times as many bytes that a packed file is taken for
LOOKS = 3  # at one file that stay in memory

type Found = tuple[DataDescription, Examples | None, str]  # the last says why there are no examples


def is_large(raw: bytes, file: str) -> bool:
    """Whether others would notice it if this process read the file."""
    return len(raw) * (UNPACKS if is_packed(file) else 1) > SMALL


class FileSource:
    """A file of which nothing is known before the first look."""

    def __init__(self, raw: bytes, file: str, most: int, reader: FileReader) -> None:
        self._raw, self._file, self._most, self._reader = raw, file, most, reader
        self._found: dict[Reading, Found] = {}
        self._one_by_one = threading.Lock()
        self._look: Look | None = None  # that goes on

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """The examples under a reading; who asks for the same gets the same."""
        _, examples, refusal = self._looked(reading)
        if examples is None:
            raise ValueError(refusal)
        return examples

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """What the file holds, and what becomes of it."""
        return self._looked(reading)[0]

    def stop(self) -> None:
        """End the look that goes on: nobody waits for it."""
        if look := self._look:
            look.stop()

    def _looked(self, reading: Reading) -> Found:
        with self._one_by_one:
            if reading not in self._found:
                found = self._ask(reading)
                while len(self._found) >= LOOKS:
                    del self._found[next(iter(self._found))]
                self._found[reading] = found
            return self._found[reading]

    def _ask(self, reading: Reading) -> Found:
        question = Question(self._file, len(self._raw), self._most, reading)
        self._look = Look()
        try:
            answer, arrays = self._reader.look(question, self._raw, self._look)
        finally:
            self._look = None
        if answer.description is None:
            raise ValueError(answer.refusal)
        examples = examples_of(answer, arrays) if arrays else None
        return answer.description, examples, answer.refusal
