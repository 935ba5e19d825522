"""Folders of functions are removed, whatever was done in them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from dicomwright_node.store import Store
from dicomwright_node.store.errors import StoreError
from dicomwright_node.store.files import remove_folder

HERE = """
import sys
from pathlib import Path
from dicomwright_node.store.files import remove_folder
remove_folder(Path(sys.argv[1]))
"""


@pytest.mark.parametrize("mode", [0o000, 0o500])
def test_folders_that_nobody_may_write_to(tmp_path, mode):
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o550)
    folder = tmp_path / "1-1"
    deep = folder / "one" / "two"
    deep.mkdir(parents=True)
    (deep / "file").touch()
    (deep / "link").symlink_to(outside)
    for path in (deep, deep.parent, folder):
        path.chmod(mode)
    command = [sys.executable, "-c", HERE, str(folder)]
    if os.geteuid() == 0:  # root may do everything, unless it gives that up
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
    assert not folder.exists()
    assert outside.stat().st_mode & 0o777 == 0o550


def test_what_is_not_there_is_no_error(tmp_path):
    remove_folder(tmp_path / "none")


@pytest.mark.parametrize("left", [None, b""])
def test_instances_whose_database_is_gone_are_not_removed(tmp_path, left):
    store = Store.open(tmp_path / "node")
    path = store.files.new_instance(1)
    path.touch()
    store.close()
    for file in (tmp_path / "node").glob("node.db*"):
        file.unlink()
    if left is not None:
        (tmp_path / "node" / "node.db").write_bytes(left)
    with pytest.raises(StoreError, match=r"it has instances, but no database; put its node.db back"):
        Store.open(tmp_path / "node")
    assert path.is_file()
