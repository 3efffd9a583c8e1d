"""A visitor's large file, read by a separate process on the first request."""

import threading

from engine.data.description import DataDescription
from engine.data.examples import Examples
from engine.data.file_messages import Question, examples_of
from engine.data.file_reader import FileReader, ReadRequest
from engine.data.reading import AS_FOUND, Reading
from engine.data.sources import is_packed

SMALL = 2**20  # bytes of text, which are read faster than a process starts
UNPACKS = 64  # assumed ratio of unpacked to packed size
RESULTS = 3  # results per file that stay in memory

type Found = tuple[DataDescription, Examples | None, str]  # why there are no examples


def is_large(raw: bytes, file: str) -> bool:
    """Whether reading the file in this process would delay other visitors."""
    return len(raw) * (UNPACKS if is_packed(file) else 1) > SMALL


class FileSource:
    """A file that has not been read yet."""

    def __init__(self, raw: bytes, file: str, most: int, reader: FileReader) -> None:
        self._raw, self._file, self._most, self._reader = raw, file, most, reader
        self._found: dict[Reading, Found] = {}
        self._one_by_one = threading.Lock()
        self._request: ReadRequest | None = None  # the request in progress

    def examples(self, reading: Reading = AS_FOUND) -> Examples:
        """The examples under a reading, or ValueError; equal readings share one result."""
        _, examples, refusal = self._result(reading)
        if examples is None:
            raise ValueError(refusal)
        return examples

    def describe(self, reading: Reading = AS_FOUND) -> DataDescription:
        """A description of the file, and of how it is used."""
        return self._result(reading)[0]

    def stop(self) -> None:
        """Stop the request in progress, whose result is no longer needed."""
        if request := self._request:
            request.stop()

    def _result(self, reading: Reading) -> Found:
        with self._one_by_one:
            if reading not in self._found:
                found = self._ask(reading)
                while len(self._found) >= RESULTS:
                    del self._found[next(iter(self._found))]
                self._found[reading] = found
            return self._found[reading]

    def _ask(self, reading: Reading) -> Found:
        question = Question(self._file, len(self._raw), self._most, reading)
        self._request = ReadRequest()
        try:
            answer, arrays = self._reader.read(question, self._raw, self._request)
        finally:
            self._request = None
        if answer.description is None:
            raise ValueError(answer.refusal)
        examples = examples_of(answer, arrays) if arrays else None
        return answer.description, examples, answer.refusal
