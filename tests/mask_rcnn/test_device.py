"""The device is the wanted one or the fastest there is, and a reason goes with it.

Whether there is a GPU differs from machine to machine; what torch says of it is set here.
"""

import pytest
import torch

from maskstudio.errors import UserError
from maskstudio.mask_rcnn.device import choose_device


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.fixture
def one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "RTX 4070")


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(("threads", "name"), [(1, "CPU, 1 thread"), (6, "CPU, 6 threads")])
def test_auto_without_a_gpu_is_the_cpu_and_says_why(
    threads: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    device = choose_device()
    assert device.torch_device == torch.device("cpu")
    assert device.name == name
    known = ("this build of torch is for the CPU only", "no NVIDIA GPU or no driver", "this Mac")
    assert device.why_not_gpu.startswith(known)


@pytest.mark.usefixtures("one_gpu")
@pytest.mark.parametrize("wanted", ["auto", "cuda", "cuda:0"])
def test_a_gpu_is_taken_and_needs_no_reason(wanted: str) -> None:
    device = choose_device(wanted)
    assert device.torch_device.type == "cuda"
    assert device.name == "CUDA: RTX 4070"
    assert device.why_not_gpu == ""


def test_the_cpu_can_be_chosen() -> None:
    device = choose_device("cpu")
    assert device.torch_device.type == "cpu"
    assert device.why_not_gpu == "chosen by hand"


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("wanted", ["cuda", "cuda:0"])
def test_cuda_is_refused_with_the_reason_it_is_not_there(wanted: str) -> None:
    reason = choose_device().why_not_gpu
    with pytest.raises(UserError) as refused:
        choose_device(wanted)
    assert str(refused.value) == f"The device {wanted!r} cannot be used: {reason}."


@pytest.mark.usefixtures("no_gpu")
def test_an_apple_gpu_is_refused_where_there_is_none() -> None:
    with pytest.raises(UserError, match="'mps' cannot be used: this is not an Apple GPU"):
        choose_device("mps")


@pytest.mark.usefixtures("one_gpu")
@pytest.mark.parametrize("wanted", ["cuda:1", "cuda:x", "cudanot"])
def test_a_gpu_that_is_not_there_is_refused(wanted: str) -> None:
    with pytest.raises(UserError, match=f"There is no device '{wanted}'; here are cuda, cuda:0"):
        choose_device(wanted)


@pytest.mark.parametrize("wanted", ["tpu", "", "CPU"])
def test_an_unknown_name_is_refused(wanted: str) -> None:
    with pytest.raises(
        UserError, match=f"no device '{wanted}'; use auto, cpu, cuda, cuda:N or mps"
    ):
        choose_device(wanted)
