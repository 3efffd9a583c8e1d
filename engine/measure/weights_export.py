"""The weights of a network as named arrays, for other programs."""

import io

import numpy as np

from engine.nn.network import Network


def weights_npz(network: Network) -> bytes:
    """What the network has learned, as NPZ: an array a tensor, such as "dense 1.W", as float32.

    What layers gather without learning it, such as running averages, is among them.
    """
    arrays = {
        f"{tensor.layer}.{tensor.name}": flat[tensor.span].reshape(tensor.shape).astype(np.float32)
        for tensors, flat in (
            (network.parameters.tensors, network.parameters.theta),
            (network.parameters.gathered, network.parameters.statistics),
        )
        for tensor in tensors
    }
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
