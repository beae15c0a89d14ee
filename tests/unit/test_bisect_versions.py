"""Versions of a scheduler: files, names and revisions in git; and the search through many."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyloader.errors import CompileError, ScxhidError, WrongUse
from vm.bench_cli import bench
from vm.exact.bisect import command
from vm.exact.bisect.account import Callback, Code
from vm.exact.bisect.measure import Measured, Place, body, text
from vm.exact.bisect.search import Found, first_that_differs
from vm.exact.bisect.version import Version, present, revisions, subject_line, version
from vm.exact.subject import Subject, subject
from vm.kernels import Kernel

SOURCE = """\
#include "scx.h"
#include "cost.h"
char _license[] SEC("license") = "GPL";
volatile u64 cost;
void BPF_STRUCT_OPS(mine_enqueue, struct task_struct *p, u64 enq_flags)
{
	cost = COST;
	scx_bpf_dsq_insert(p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, enq_flags);
}
SEC(".struct_ops.link")
struct sched_ext_ops mine = { .enqueue = (void *)mine_enqueue, .name = "mine" };
"""


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "somebody@example.org")
    repository = tmp_path / "repository"
    (repository / "mine" / "include").mkdir(parents=True)

    def run(*words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(repository), *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    run("init", "-q")
    monkeypatch.chdir(repository)
    return run


def commit(git: Callable[..., str], cost: str, source: str = SOURCE) -> str:
    """A revision whose header says what it costs; its id."""
    Path("mine/mine.bpf.c").write_text(source)
    number = git("rev-list", "--all", "--count")  # lest two of the same content be one
    Path("mine/include/cost.h").write_text(f"#define COST {cost}\n/* {number} */\n")
    git("add", ".")
    git("commit", "-q", "-m", f"Cost {cost}")
    return git("rev-parse", "HEAD")


FILE = Path("mine/mine.bpf.c")


def test_a_revision_is_compiled_with_the_headers_that_it_had(git: Callable[..., str]) -> None:
    old, new = commit(git, "OLD_COST\n#define OLD_COST 150"), commit(git, "161")
    objects = {
        name: version(name).subject.object_sha256
        for name in (f"{old}:mine/mine.bpf.c", f"{new}:mine/mine.bpf.c")
    }
    assert len(set(objects.values())) == 2
    again = version("HEAD~1", FILE)
    assert again.commit == old
    assert again.subject.object_sha256 == objects[f"{old}:mine/mine.bpf.c"]
    assert again.subject.mode == "direct"


def test_the_file_as_it_lies_there_has_the_headers_beside_it(git: Callable[..., str]) -> None:
    commit(git, "150")
    before = present(FILE).subject.object_sha256
    Path("mine/include/cost.h").write_text("#define COST 151\n")
    assert present(FILE).subject.object_sha256 != before
    assert version("./mine/mine.bpf.c").subject.object_sha256 != before


def test_a_revision_takes_knobs_too() -> None:
    one = version("simple:slice_us=2ms")
    assert one.subject.knobs == {"slice_us": 2000}
    assert one.subject.mode == "direct"


@pytest.mark.parametrize(
    ("words", "file", "said"),
    [
        ("no-such:mine/mine.bpf.c", None, "'no-such' is no revision"),
        ("HEAD:mine/other.bpf.c", None, "HEAD has no mine/other.bpf.c"),
        ("no-such", FILE, "'no-such' is no revision"),
        ("HEAD:mine/mine.bpf.c", FILE, "must be a revision alone"),
        ("HEAD:a:b", None, "is not FILE, NAME or REVISION:PATH"),
        ("simpel", None, "did you mean simple"),
        ("simple:slice_us=1", None, "out of range"),
    ],
)
def test_what_is_no_version_is_refused(
    words: str, file: Path | None, said: str, git: Callable[..., str]
) -> None:
    commit(git, "150")
    with pytest.raises(WrongUse, match=re.escape(said)):
        version(words, file)


def test_a_revision_that_does_not_compile_is_told(git: Callable[..., str]) -> None:
    commit(git, "150", SOURCE.replace("cost = COST;", "cost = ;"))
    with pytest.raises(CompileError):
        version("HEAD", FILE)


def test_outside_of_a_repository_git_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ScxhidError, match=r"is no revision of"):
        version("HEAD:mine.bpf.c")


def test_the_revisions_that_are_looked_through_changed_the_files_directory(
    git: Callable[..., str],
) -> None:
    first = commit(git, "150")
    second = commit(git, "151")
    Path("README").write_text("no scheduler\n")
    git("add", ".")
    git("commit", "-q", "-m", "Say more")
    third = commit(git, "152")
    assert revisions(FILE, first, "HEAD") == [second, third]
    assert subject_line(FILE, third).endswith("Cost 152")
    with pytest.raises(WrongUse, match="is no ancestor"):
        revisions(FILE, third, first)


def search(
    git: Callable[..., str], costs: list[str], limit: float | None = None, callback: str = ""
) -> tuple[Found, list[str], int]:
    """Search where what a revision costs is the number in its header."""
    commits = [
        commit(git, cost, SOURCE if cost.isdecimal() else "it does not compile") for cost in costs
    ]
    asked: set[str] = set()

    def runs(one: Version) -> list[Measured]:
        cost = int(costs[commits.index(one.commit)])
        asked.add(one.commit)
        code = Code(str(cost), cost, cost, cost)
        return [Measured(1, {"enqueue": Callback(1, cost, None, code)}, 10**9, "", 1.0, ())]

    good, bad = version(commits[0], FILE), version("HEAD", FILE)
    found = first_that_differs(FILE, good, bad, runs, 0.001, limit, callback, lambda text: None)
    return found, commits, len(asked)


def test_the_first_revision_that_costs_more_is_found_in_few_steps(git: Callable[..., str]) -> None:
    found, commits, measured = search(git, [*["100"] * 1, "101", "100", "103", "130", "131", "129"])
    assert found.callback == "enqueue"
    assert found.commits == (commits[4],)
    assert found.before.commit == commits[3]
    assert measured <= 5


def test_a_limit_says_what_counts(git: Callable[..., str]) -> None:
    found, commits, _ = search(git, ["100", "100", "103", "130"], limit=0.02)
    assert found.commits == (commits[2],)


def test_one_that_became_cheaper_is_found_as_well(git: Callable[..., str]) -> None:
    found, commits, _ = search(git, ["100", "100", "80", "80"])
    assert found.commits == (commits[2],)


def test_revisions_that_do_not_compile_are_skipped_and_told(git: Callable[..., str]) -> None:
    found, commits, _ = search(git, ["100", "101", "oops", "ouch", "130", "131"])
    assert found.first.commit == commits[4]
    assert found.before.commit == commits[1]
    assert found.commits == (commits[4], commits[3], commits[2])


def test_where_nothing_differs_there_is_nothing_to_look_for(git: Callable[..., str]) -> None:
    with pytest.raises(ScxhidError, match="no callback costs otherwise"):
        search(git, ["100", "130", "100"])


def test_a_callback_that_was_never_called_cannot_be_followed(git: Callable[..., str]) -> None:
    with pytest.raises(WrongUse, match="no callback 'tick' was called"):
        search(git, ["100", "130"], callback="tick")


def bisect(*words: str) -> tuple[int, str]:
    """The exit status of the command, and what it says."""
    done = CliRunner().invoke(bench, ["bisect", *words])
    if isinstance(done.exception, ScxhidError):
        return done.exception.exit_status, str(done.exception)
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simple"], "name two versions"),
        (["simple", "simple", "--range"], "--range needs two revisions and --file"),
        (["simple", "simple", "--callback", "tick"], "there is no --range"),
        (["simple", "simple", "--workload", "hackbench"], "hackbench cannot run in the machine"),
        (["simple", "simple", "--workload", "wakup"], "did you mean wakeup"),
        (["simple", "simple", "--load", "light"], "callbacks has no load 'light' here"),
        (["simple", "simple", "--threshold", "-1%"], "is not a share"),
        (["simple", "simple", "--fail-over", "nan%"], "is not a share"),
        (["simple", "simpel"], "did you mean simple"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_runs(words: list[str], said: str) -> None:
    status, output = bisect(*words)
    assert status == 2
    assert said in output


def test_a_version_that_does_not_compile_fails_and_is_skipped_by_git(tmp_path: Path) -> None:
    broken = tmp_path / "broken.bpf.c"
    broken.write_text("this is no C\n")
    assert bisect("simple", str(broken))[0] == 1
    assert bisect("simple", str(broken), "--fail-over", "1%")[0] == 125


def test_a_file_that_cannot_be_written_is_told_before_anything_runs() -> None:
    status, output = bisect("simple", "simple", "-o", "/nowhere/at/all.json")
    assert status == 1
    assert "there is no directory /nowhere/at" in output


def test_what_is_counted_begins_at_a_round_moment(tmp_path: Path) -> None:
    kernel = Kernel("7.3.4", tmp_path, tmp_path, tmp_path)
    one = subject("simple", direct=True)
    run, files = body(Place(kernel, load="over", cpus=2), 7)
    assert run == ["run /files/callbacks 8 400 7"]
    assert list(files) == ["callbacks"]
    lines = text(one, one, run, 2).splitlines()
    at = lines.index("count")
    rest = ["count", *run, "counted subject", "calls", "detach"]
    assert lines[at - 1 : at + 5] == ["align 1000", *rest]
    assert lines[-2:] == ["counted empty", "detach"]


def test_any_workload_that_runs_exactly_can_be_measured(tmp_path: Path) -> None:
    kernel = Kernel("7.3.4", tmp_path, tmp_path, tmp_path)
    (line,), files = body(Place(kernel, workload="wakeup", load="over"), 7)
    assert re.match(r"run /files/wakeup .*\bseed=7 a_cpu=4", line)
    assert "wakeup" in files


@pytest.fixture
def no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither QEMU nor a kernel is looked for."""
    monkeypatch.setattr(command.machine, "require_qemu", lambda: "10.0")
    monkeypatch.setattr(command, "choose", lambda *_, **__: Kernel("7", Path(), Path(), Path()))


@pytest.mark.usefixtures("no_machine")
@pytest.mark.parametrize(("more_ns", "status"), [(1005, 0), (1020, 1)])
def test_fail_over_is_an_exit_status(
    more_ns: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(what: object, place: Place, seed: int) -> Measured:
        knobs = getattr(what, "knobs", {})
        n = more_ns if knobs else 1000
        code = Code("b" if knobs else "a", 1, 1, 1)
        return Measured(seed, {"enqueue": Callback(1, n, None, code)}, 10**9, "", 1.0, ())

    monkeypatch.setattr(command, "measure", measured)
    words = ("simple", "simple:slice_us=1000", "--seeds", "1")
    assert bisect(*words)[0] == 0
    assert bisect(*words, "--fail-over", "1%")[0] == status


@pytest.mark.usefixtures("no_machine")
def test_counts_that_do_not_repeat_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[int] = []

    def measured(what: object, place: Place, seed: int) -> Measured:
        runs.append(seed)
        found = Callback(1, 1000 + len(runs), None, Code("a", 1, 1, 1))
        return Measured(seed, {"enqueue": found}, 10**9, "", 1.0, ())

    monkeypatch.setattr(command, "measure", measured)
    status, output = bisect("simple", "simple:slice_us=1000")
    assert status == 1
    assert "enqueue took 1,001 instructions and then 1,002; nothing of it can be trusted" in output
    assert runs == [1, 1]


@pytest.mark.usefixtures("no_machine")
def test_a_search_tells_the_revision_and_both_sides_of_it(
    git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = [commit(git, cost) for cost in ("100", "101", "130", "131")]
    costs = {
        version(one, FILE).subject.object_sha256: 100 + n * 30 for n, one in enumerate(commits)
    }

    def measured(what: Subject, place: Place, seed: int) -> Measured:
        cost = costs[what.object_sha256]
        found = Callback(1, cost, None, Code(str(cost), 1, 1, 1))
        return Measured(seed, {"enqueue": found}, 10**9, "", 1.0, ())

    monkeypatch.setattr(command, "measure", measured)
    words = ("--file", str(FILE), "--range", commits[0], "HEAD", "--threshold", "50%")
    status, output = bisect(*words, "--seeds", "1")
    assert status == 0
    assert re.search(r"^A: \w{12} \(\w+ Cost 101\)$", output, re.M)
    assert re.search(r"^B: \w{12} \(\w+ Cost 130\)$", output, re.M)
    first = subject_line(FILE, commits[2])
    assert f"The first at which enqueue differs from {commits[0]}: {first}" in output
