"""What kind of machine computes here: the same kind gives the same bits."""

import platform

import numpy as np
from threadpoolctl import threadpool_info


def kind_of_machine() -> str:
    """Such as "Linux x86_64, NumPy 2.4.1, openblas Haswell"."""
    blas = sorted(
        f"{library['internal_api']} {library.get('architecture', '')}".strip()
        for library in threadpool_info()
        if library["user_api"] == "blas"
    )
    system = f"{platform.system()} {platform.machine()}"
    return ", ".join([system, f"NumPy {np.__version__}", *dict.fromkeys(blas)])
