"""The password by which a teacher opens rooms."""

import pytest

from app.server.teacher_password import TeacherPassword, read_teacher_password


def test_the_password_comes_from_the_environment():
    assert read_teacher_password({}) == ""
    assert read_teacher_password({"BABYSIT_TEACHER": " sesame "}) == "sesame"
    with pytest.raises(ValueError, match="at least 4 characters, got 3"):
        read_teacher_password({"BABYSIT_TEACHER": "abc"})


def test_only_the_password_opens_a_room():
    password = TeacherPassword("öffne dich")
    assert password.opens("öffne dich")
    assert not any(password.opens(guess) for guess in ("", "öffne", "öffne dich ", "\ud800"))


def test_a_password_that_was_made_up_is_printed_at_the_start(capsys):
    TeacherPassword("sesame").announce()
    assert capsys.readouterr().err == ""
    password = TeacherPassword("")
    password.announce()
    printed = capsys.readouterr().err.strip().rpartition("#teach=")[2]
    assert len(printed) >= 12 and password.opens(printed)
    assert not password.opens("")
