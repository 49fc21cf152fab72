"""Numerics classes: which bits a computation may give, pinned from outside by environment variables.

The same seed, lock and machine still give other bits when a library picks another kernel for the processor, or uses
another number of threads. A class names what they may pick. It is part of every key, as these variables and as
a platform property.
"""

_AVX512 = ["AVX512F", "AVX512CD", "AVX512_SKX", "AVX512_CLX", "AVX512_CNL", "AVX512_ICL", "AVX512_SPR"]

NUMERICS = {
    # What x86-64 processors since 2013 (Intel) and 2015 (AMD) can give.
    "avx2": {
        # ATen (torch), then oneDNN under its new and its old name.
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "DNNL_MAX_CPU_ISA": "AVX2",
        "ARROW_USER_SIMD_LEVEL": "AVX2",
        # The C library's exp, log, sin, pow pick by these.
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=" + ",".join(["-" + each for each in ["AVX512F", "AVX512VL", "AVX512BW", "AVX512DQ", "AVX512CD"]]),
        "MKL_CBWR": "AVX2",
        # numpy knows X86_V4 from 2.4 on, the others before; each takes what it knows and ignores the rest.
        "NPY_DISABLE_CPU_FEATURES": ",".join(["X86_V4"] + _AVX512),
        "OPENBLAS_CORETYPE": "Haswell",
    },
    # Whatever this machine's processor is best at: results may differ from one machine to the next.
    "native": {},
}

def numerics_environment(numerics, threads):
    """The variables of a class for a number of threads."""
    count = str(threads)
    return NUMERICS[numerics] | {
        name: count
        for name in [
            "BLIS_NUM_THREADS",
            "MKL_NUM_THREADS",
            "NUMBA_NUM_THREADS",
            "NUMEXPR_MAX_THREADS",
            "NUMEXPR_NUM_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
            "POLARS_MAX_THREADS",
            "RAYON_NUM_THREADS",
        ]
    } | {
        "MKL_DYNAMIC": "FALSE",
        "OMP_DYNAMIC": "FALSE",
        # The order of sets of strings, and with it whatever a program makes from one.
        "PYTHONHASHSEED": "0",
    }
