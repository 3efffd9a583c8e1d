"""The operator's folder is read once, and each file that is left out is told of once."""

from app.server.data_folder import open_folder


def test_what_is_left_out_is_told_once_though_the_hooks_run_twice(tmp_path, caplog):
    (tmp_path / "mine.lesson.json").write_text("{}")
    (tmp_path / "holiday.jpg").write_bytes(b"no table")
    for _ in range(2):
        open_folder(tmp_path)
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in told] == [
        "not in the course",
        "no reader knows these files, so no menu lists them",
    ]
    assert "mine.lesson.json" in told[0] and "holiday.jpg" in told[1]
