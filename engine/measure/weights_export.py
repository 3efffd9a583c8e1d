"""The weights of a network as named arrays, for other programs."""

import io

import numpy as np

from engine.nn.network import Network


def weights_npz(network: Network) -> bytes:
    """The parameters as NPZ bytes for other programs: float32 arrays named such as "dense 1.W".

    Running statistics, such as batch norm's averages, are included.
    """
    arrays = {
        f"{tensor.layer}.{tensor.name}": flat[tensor.span].reshape(tensor.shape).astype(np.float32)
        for tensors, flat in (
            (network.parameters.tensors, network.parameters.theta),
            (network.parameters.running, network.parameters.statistics),
        )
        for tensor in tensors
    }
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()
