"""Neutral names for the paths of actions that promise not to look at them."""

from __future__ import annotations

from mlbuild.execution.path_mapping import neutral_paths, renaming
from mlbuild.execution.prepare import prepare
from mlbuild.records import replace
from mlbuild.store import MemoryStore
from mlbuild.terms import Artifact, FileValue, Label, SpawnAction, TreeValue


def compile_of(target: str) -> SpawnAction:
    """What `//envs:TARGET` does with one of its wheels."""
    owner = Label.parse(f"//envs:{target}")
    source = Artifact("tools/compile.py", owner, is_source=True)
    wheel = Artifact(f"mlbuild-out/envs/{target}.wheels/numpy", owner, is_source=False, is_directory=True)
    output = Artifact(f"mlbuild-out/envs/{target}.compiled/numpy", owner, is_source=False, is_directory=True)
    line = ("python3", source.path, wheel.path, f"--out={output.path}/lib", f"{wheel.path}-not")
    environment = (("WHERE", f"{wheel.path}:{output.path}"),)
    return SpawnAction(owner, "Compile", line, (output,), (source, wheel), environment, path_mapping=True)


def key_parts(action: SpawnAction) -> object:
    store = MemoryStore()
    values = {
        action.inputs[0]: FileValue(store.put(b"pass")),
        action.inputs[1]: TreeValue(store.put(b"")),
    }
    prepared = prepare(action, values, store.get)
    return replace(prepared.spawn, description="")


def test_two_targets_with_the_same_work_have_the_same_spawn() -> None:
    assert key_parts(replace(compile_of("train"), arguments=("python3",))) == key_parts(
        replace(compile_of("serve"), arguments=("python3",))
    )


def test_without_the_promise_they_have_not() -> None:
    plain = [replace(compile_of(name), arguments=("python3",), path_mapping=False) for name in ("train", "serve")]
    assert key_parts(plain[0]) != key_parts(plain[1])


def test_whole_paths_are_renamed_wherever_they_stand() -> None:
    action = compile_of("train")
    renamed = renaming(neutral_paths(action))
    assert [renamed(each) for each in action.arguments if isinstance(each, str)] == [
        "python3",
        "tools/compile.py",
        "mlbuild-out/0/numpy",
        "--out=mlbuild-out/1/numpy/lib",
        "mlbuild-out/envs/train.wheels/numpy-not",
    ]
    assert renamed(action.environment[0][1]) == "mlbuild-out/0/numpy:mlbuild-out/1/numpy"


def test_sources_keep_their_names() -> None:
    assert "tools/compile.py" not in neutral_paths(compile_of("train"))
