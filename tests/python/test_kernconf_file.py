"""FreeBSD kernel configuration files."""

from __future__ import annotations

import pickle
from pathlib import Path

import kdev
import pytest
from hypothesis import given
from hypothesis import strategies as st

WORD = st.from_regex(r"[A-Za-z_][-A-Za-z_0-9]{0,8}", fullmatch=True)
VALUE = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"#'), min_size=1, max_size=12
)


def test_a_file_is_read_edited_and_written(tmp_path: Path) -> None:
    (tmp_path / "GENERIC").write_text("cpu HAMMER\nident GENERIC\nmakeoptions\tDEBUG=-g\noptions\tDDB # the debugger\n")
    mine = tmp_path / "DEBUG0"
    mine.write_text("include GENERIC\nident DEBUG0\nnomakeoptions DEBUG\n")
    conf = kdev.KernconfFile.load(mine).set("makeoptions", "DEBUG", "-g -O0").set("options", "KSTACK_PAGES", "16")
    assert conf.text == (
        'include GENERIC\nident DEBUG0\nnomakeoptions DEBUG\nmakeoptions\tDEBUG="-g -O0"\noptions \tKSTACK_PAGES=16\n'
    )
    summary = conf.summarize()
    assert summary.ident == "DEBUG0"
    assert [(e.keyword, e.name, e.value) for e in summary.entries][-2:] == [
        ("makeoptions", "DEBUG", "-g -O0"),
        ("options", "KSTACK_PAGES", "16"),
    ]
    debugger = next(e for e in summary.entries if e.name == "DDB")
    assert (debugger.file, debugger.line) == (tmp_path / "GENERIC", 4)
    left = kdev.KernconfFile.load(tmp_path / "GENERIC").summarize()
    assert [(d.name, d.left, d.right) for d in kdev.diff_kernconfs(left, summary)] == [
        ("", "GENERIC", "DEBUG0"),
        ("DEBUG", "-g", "-g -O0"),
        ("KSTACK_PAGES", None, "16"),
    ]
    assert pickle.loads(pickle.dumps(conf)) == conf


def test_errors_name_the_place(tmp_path: Path) -> None:
    bad = tmp_path / "BAD"
    bad.write_text("ident A\noptoins DDB\n")
    with pytest.raises(kdev.ConfigError, match="BAD:2"):
        kdev.KernconfFile.load(bad)
    with pytest.raises(kdev.ConfigError, match="MISSING"):
        kdev.KernconfFile.load(tmp_path / "MISSING")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["options", "makeoptions"]), WORD, st.none() | VALUE | VALUE.map(lambda v: v + " " + v)
        )
    )
)
def test_what_is_set_is_there(settings: list[tuple[str, str, str | None]]) -> None:
    conf = kdev.KernconfFile.parse("# a comment\nident A\n")
    expected: dict[tuple[str, str], str | None] = {}
    for keyword, name, value in settings:
        conf = conf.set(keyword, name, value)
        expected[keyword, name] = value
    assert {(e.keyword, e.name): e.value for e in conf.entries if e.keyword != "ident"} == expected
    assert conf.text.startswith("# a comment\nident A\n")
    for keyword, name in expected:
        conf = conf.remove(keyword, name)
    assert conf.text == "# a comment\nident A\n"


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        conf = kdev.KernconfFile.parse(text)
    except kdev.ConfigError:
        return
    assert conf.text == text
    for entry in conf.entries:
        assert entry.keyword and entry.name
