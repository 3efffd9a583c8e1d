"""The word by which a teacher opens rooms."""

import pytest

from app.server.teacher_word import TeacherWord, read_word


def test_the_word_comes_from_the_environment():
    assert read_word({}) == ""
    assert read_word({"BABYSIT_TEACHER": " sesame "}) == "sesame"
    with pytest.raises(ValueError, match="at least 4 letters, got 3"):
        read_word({"BABYSIT_TEACHER": "abc"})


def test_only_the_word_opens_a_room():
    word = TeacherWord("öffne dich")
    assert word.opens("öffne dich")
    assert not any(word.opens(said) for said in ("", "öffne", "öffne dich ", "\ud800"))


def test_a_word_that_was_made_up_is_told_at_the_start(capsys):
    TeacherWord("sesame").announce()
    assert capsys.readouterr().err == ""
    word = TeacherWord("")
    word.announce()
    told = capsys.readouterr().err.strip().rpartition("#teach=")[2]
    assert len(told) >= 12 and word.opens(told)
    assert not word.opens("")
