import stat
import subprocess

from mihu_async.sandbox.env_file import env_file, exports, remove_stale
from tests.platforms import posix_only


@posix_only("has no /bin/sh")
def test_a_shell_reads_what_was_written():
    """Whatever a value holds, a shell reads it back, and hands it on to what it starts."""
    script = exports({"A": "b", "C": "<token> '\"$(date)"})
    shell = subprocess.run(
        ["/bin/sh", "-c", f"{script}env"], capture_output=True, text=True, check=True, env={}
    ).stdout.splitlines()

    assert {"A=b", "C=<token> '\"$(date)"} <= set(shell)


def test_it_is_there_for_a_block(tmp_path):
    """The file is whole on every system, beside no other, and gone after the block."""
    path = tmp_path / "sandbox.env"
    with env_file(path, "export A=b\n"):
        assert b"export A=b\n" == path.read_bytes()
        assert [path] == list(tmp_path.iterdir())

    assert [] == list(tmp_path.iterdir())


@posix_only("knows no such permissions")
def test_nobody_else_reads_it(tmp_path):
    """It holds a token, so its owner alone may read it."""
    path = tmp_path / "sandbox.env"
    with env_file(path, "export A=b\n"):
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@posix_only("does not replace a file that is open")
def test_it_takes_the_place_of_another(tmp_path):
    """A file that is there already is replaced in one step: whoever has opened it reads the old one to its end."""
    path = tmp_path / "sandbox.env"
    path.write_text("old\n")
    with path.open() as opened, env_file(path, "new\n"):
        assert ("old\n", "new\n") == (opened.read(), path.read_text())


def test_that_of_another_sandbox_is_left(tmp_path):
    """What another program has put there since is not removed, and neither is what is gone missed."""
    path = tmp_path / "sandbox.env"
    with env_file(path, "mine\n"):
        path.write_text("another's\n")
    assert "another's\n" == path.read_text()

    with env_file(path, "mine\n"):
        path.unlink()
    assert not path.exists()


def test_a_stale_one_is_removed(tmp_path):
    """The file that a killed sandbox left is removed, and that there is none is no error."""
    path = tmp_path / "sandbox.env"
    path.write_text("old\n")
    for _ in range(2):
        remove_stale(path)

    assert not path.exists()
