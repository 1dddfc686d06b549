"""Random bytes are given once, in one process and in its children."""

import os
from concurrent.futures import ThreadPoolExecutor

from core.entropy import random_bytes


def test_threads_never_get_the_same_bytes() -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda _: random_bytes(12), range(20_000)))
    assert {len(each) for each in taken} == {12}
    assert len(set(taken)) == len(taken)


def test_more_than_a_piece_is_given_whole() -> None:
    assert len(set(random_bytes(10_000))) == 256


def test_a_forked_child_takes_other_bytes() -> None:
    random_bytes(1)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, random_bytes(32))
        os._exit(0)
    ours = random_bytes(32)
    os.waitpid(child, 0)
    theirs = os.read(reader, 32)
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 32 and theirs != ours
